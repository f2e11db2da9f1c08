typealias Floats = UnsafeMutablePointer<Float>
typealias ReadFloats = UnsafePointer<Float>

/// One allocation, handed out in parts that start on cache lines; zero at first. The parts live as long as the block.
final class FloatBlock {
    private let base: Floats
    private let capacity: Int
    private var used = 0

    /// - Parameter parts: the counts that will be asked for.
    init(parts: [Int]) {
        capacity = parts.reduce(0) { $0 + Self.padded($1) }
        base = UnsafeMutableRawPointer.allocate(byteCount: 4 * max(capacity, 1), alignment: 64)
            .bindMemory(to: Float.self, capacity: capacity)
        base.initialize(repeating: 0, count: capacity)
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    func take(_ count: Int) -> Floats {
        defer { used += Self.padded(count) }
        precondition(used + Self.padded(count) <= capacity, "every part was announced")
        return base + used
    }

    private static func padded(_ count: Int) -> Int { (count + 15) & ~15 }
}
