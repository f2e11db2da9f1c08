/// A growing block of bytes that is written at its end and reused for ever: output messages are encoded here.
///
/// The owner of the block; ranges handed out stay valid until `removeAll`, pointers only until the next write.
public struct ByteArena: ~Copyable {
    /// So many are never given back: a batch's outputs take less.
    private static let keptBytes = 4 << 20

    public private(set) var base: UnsafeMutableRawPointer
    public private(set) var count = 0
    public private(set) var capacity: Int
    /// The most that was written of late.
    private var recent = 0

    public init(capacity: Int = 1 << 16) {
        precondition(capacity > 0)
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    /// All that has been written. Valid until the next write.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.upperBound <= count)
        return UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// Forgets the content, keeps the memory: but what one large use took of it goes when many after that are small.
    public mutating func removeAll() {
        recent = max(count, recent - recent / 16)
        count = 0
        if capacity > Self.keptBytes && capacity / 4 > recent { replace(max(Self.keptBytes, 2 * recent)) }
    }

    /// Forgets all that was written from `position` on.
    public mutating func truncate(to position: Int) {
        precondition((0...count).contains(position))
        count = position
    }

    /// Room for `extra` more bytes, to be written at the returned pointer and accounted for by `advance(by:)`.
    @inline(__always)
    public mutating func reserve(_ extra: Int) -> UnsafeMutableRawPointer {
        if count &+ extra > capacity { grow(extra) }
        return base + count
    }

    /// Counts bytes written behind the end, at most as many as were reserved.
    @inline(__always)
    public mutating func advance(by written: Int) {
        assert(count + written <= capacity)
        count &+= written
    }

    @inline(__always)
    public mutating func append(_ byte: UInt8) {
        reserve(1).storeBytes(of: byte, as: UInt8.self)
        count &+= 1
    }

    @inline(__always)
    public mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, source.count > 0 else { return }
        reserve(source.count).copyMemory(from: start, byteCount: source.count)
        count &+= source.count
    }

    @inline(__always)
    public mutating func append(_ literal: StaticString) {
        append(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    private mutating func grow(_ extra: Int) {
        replace(max(capacity * 2, count + extra))
    }

    private mutating func replace(_ size: Int) {
        let fresh = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        fresh.copyMemory(from: base, byteCount: count)
        base.deallocate()
        (base, capacity) = (fresh, size)
    }
}
