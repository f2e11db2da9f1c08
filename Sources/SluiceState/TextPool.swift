import SluiceCore

/// A short byte string in a `TextPool`: size class and index in it.
public struct TextHandle: Equatable, Sendable {
    fileprivate let raw: UInt32
    /// No text, which is not the same as the empty text.
    public static let none = TextHandle(raw: .max)
}

/// Stream keys and sequence ids outside the Swift heap: blocks of size classes with free lists in the blocks, four
/// bytes a handle, no reference counting.
///
/// A text below `shortBytes` lies in a class of its own length and takes just that; longer ones lie in blocks of powers
/// of two, which begin with their length.
public struct TextPool: ~Copyable {
    private static let shortBytes = 48
    /// Blocks of the first class behind those.
    private static let smallestLong = 64
    private static let blockBits: UInt32 = 26
    private static let blockMask: UInt32 = 1 << blockBits - 1

    @safe private struct SizeClass {
        let blockBytes: Int
        /// Blocks of a page, a power of two.
        let pageBits: UInt32
        var pages: [UnsafeMutableRawPointer] = unsafe []
        var used: UInt32 = 0
        /// The block that was freed last, in which the one before it stands; `none` where there is no other.
        var free = SizeClass.none
        static let none = UInt32.max

        init(blockBytes: Int, pageBits: UInt32) { (self.blockBytes, self.pageBits) = (blockBytes, pageBits) }

        var pageBytes: Int { blockBytes << Int(pageBits) }
    }

    private var classes: [SizeClass]

    public init() {
        classes = (0..<Self.shortBytes).map { SizeClass(blockBytes: max(4, $0), pageBits: 12) }
        var (blockBytes, pageBits) = (Self.smallestLong, UInt32(10))
        while classes[classes.count - 1].blockBytes < Limits.keyBytes + 2 {
            classes.append(SizeClass(blockBytes: blockBytes, pageBits: pageBits))
            (blockBytes, pageBits) = (2 * blockBytes, pageBits - 1)
        }
    }

    public var memoryBytes: Int { classes.reduce(0) { unsafe $0 + $1.pages.count * $1.pageBytes } }

    deinit {
        for sizeClass in classes {
            unsafe sizeClass.pages.forEach { unsafe $0.deallocate() }
        }
    }

    public mutating func insert(_ text: UnsafeRawBufferPointer) -> TextHandle {
        precondition(text.count <= Limits.keyBytes, "keys and sequence ids are bounded by the decoder")
        let index = Self.sizeClass(text.count)
        let freed = classes[index].free
        let block = freed == SizeClass.none ? newBlock(index) : freed
        let handle = TextHandle(raw: UInt32(index) << Self.blockBits | block)
        var address = unsafe pointer(handle)
        if block == freed { classes[index].free = unsafe address.loadUnaligned(as: UInt32.self) }
        if index >= Self.shortBytes {
            unsafe address.storeBytes(of: UInt16(text.count), as: UInt16.self)
            unsafe address += 2
        }
        if let source = text.baseAddress { unsafe address.copyMemory(from: source, byteCount: text.count) }
        return handle
    }

    private static func sizeClass(_ length: Int) -> Int {
        if length < shortBytes { return length }
        var index = 0
        while smallestLong << index < length + 2 { index += 1 }
        return shortBytes + index
    }

    public mutating func remove(_ handle: TextHandle) {
        guard handle != .none else { return }
        let index = Int(handle.raw >> Self.blockBits)
        unsafe pointer(handle).storeBytes(of: classes[index].free, as: UInt32.self)
        classes[index].free = handle.raw & Self.blockMask
    }

    /// The text; valid until it is removed. `none` has a nil base address.
    @inline(__always)
    public func bytes(_ handle: TextHandle) -> UnsafeRawBufferPointer {
        guard handle != .none else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        let address = unsafe pointer(handle)
        let index = Int(handle.raw >> Self.blockBits)
        if index < Self.shortBytes { return unsafe UnsafeRawBufferPointer(start: address, count: index) }
        return unsafe UnsafeRawBufferPointer(start: address + 2, count: Int(address.load(as: UInt16.self)))
    }

    @inline(__always)
    private func pointer(_ handle: TextHandle) -> UnsafeMutableRawPointer {
        let index = Int(handle.raw >> Self.blockBits)
        let block = handle.raw & Self.blockMask
        let pageBits = classes[index].pageBits
        let within = Int(block & (1 << pageBits - 1))
        return unsafe classes[index].pages[Int(block >> pageBits)] + within * classes[index].blockBytes
    }

    private mutating func newBlock(_ index: Int) -> UInt32 {
        let block = classes[index].used
        if block & (1 << classes[index].pageBits - 1) == 0 {
            unsafe classes[index].pages.append(.allocate(byteCount: classes[index].pageBytes, alignment: 16))
        }
        precondition(block < Self.blockMask, "more texts than handles")
        classes[index].used += 1
        return block
    }
}

extension UnsafeRawBufferPointer {
    /// Equal bytes.
    @inline(__always)
    public func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count > 0, let mine = baseAddress, let theirs = other.baseAddress else { return true }
        return unsafe memcmpBytes(mine, theirs, count) == 0
    }
}
