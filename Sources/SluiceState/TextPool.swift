import SluiceCore

/// A short byte string in a `TextPool`: size class and index in it.
public struct TextHandle: Equatable, Sendable {
    fileprivate let raw: UInt32
    /// No text, which is not the same as the empty text.
    public static let none = TextHandle(raw: .max)
}

/// Stream keys and sequence ids outside the Swift heap: blocks of power-of-two classes with free lists, four bytes a
/// handle, no reference counting. Each block begins with the text's length.
public struct TextPool: ~Copyable {
    private static let smallest = 16
    private static let pageBytes = 1 << 16

    @safe private struct SizeClass {
        var pages: [UnsafeMutableRawPointer] = unsafe []
        var used: UInt32 = 0
        var free: [UInt32] = []
    }

    private var classes: [SizeClass]

    public init() {
        var blockBytes = Self.smallest
        var count = 1
        while blockBytes < Limits.keyBytes + 2 {
            blockBytes *= 2
            count += 1
        }
        classes = Array(repeating: SizeClass(), count: count)
    }

    public var memoryBytes: Int { classes.reduce(0) { unsafe $0 + $1.pages.count } * Self.pageBytes }

    deinit {
        for sizeClass in classes {
            unsafe sizeClass.pages.forEach { unsafe $0.deallocate() }
        }
    }

    public mutating func insert(_ text: UnsafeRawBufferPointer) -> TextHandle {
        precondition(text.count <= Limits.keyBytes, "keys and sequence ids are bounded by the decoder")
        var index = 0
        while Self.smallest << index < text.count + 2 { index += 1 }
        let block = classes[index].free.popLast() ?? newBlock(index)
        let handle = TextHandle(raw: UInt32(index) << 27 | block)
        let address = unsafe pointer(handle)
        unsafe address.storeBytes(of: UInt16(text.count), as: UInt16.self)
        if let source = text.baseAddress { unsafe (address + 2).copyMemory(from: source, byteCount: text.count) }
        return handle
    }

    public mutating func remove(_ handle: TextHandle) {
        guard handle != .none else { return }
        classes[Int(handle.raw >> 27)].free.append(handle.raw & 0x7FF_FFFF)
    }

    /// The text; valid until it is removed. `none` has a nil base address.
    @inline(__always)
    public func bytes(_ handle: TextHandle) -> UnsafeRawBufferPointer {
        guard handle != .none else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        let address = unsafe pointer(handle)
        return unsafe UnsafeRawBufferPointer(start: address + 2, count: Int(address.load(as: UInt16.self)))
    }

    @inline(__always)
    private func pointer(_ handle: TextHandle) -> UnsafeMutableRawPointer {
        let index = Int(handle.raw >> 27)
        let block = Int(handle.raw & 0x7FF_FFFF)
        let blockBytes = Self.smallest << index
        let perPage = Self.pageBytes / blockBytes
        return unsafe classes[index].pages[block / perPage] + block % perPage * blockBytes
    }

    private mutating func newBlock(_ index: Int) -> UInt32 {
        let block = classes[index].used
        let perPage = UInt32(Self.pageBytes / (Self.smallest << index))
        if block % perPage == 0 {
            unsafe classes[index].pages.append(.allocate(byteCount: Self.pageBytes, alignment: 16))
        }
        precondition(block < 0x7FF_FFFF, "more texts than handles")
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
