/// Where the columns of a stream's rows lie in one piece of memory: one after the other, those of eight bytes first, so
/// that each is aligned where the whole is.
package struct RowLayout: Sendable, Equatable {
    /// I; the same or 0 where inputs are not kept as observed; T; 1 or 0.
    package let inputs, raw, targets, labels: Int

    package init(inputs: Int, raw: Int, targets: Int, labels: Int) {
        (self.inputs, self.raw, self.targets, self.labels) = (inputs, raw, targets, labels)
    }

    /// Bytes of a row in each column: times, center, scale, inputs, raw, targets, labels, boundary, warm.
    package var widths: [Int] { [8, 8 * targets, 8 * targets, 4 * inputs, 4 * raw, 4 * targets, 4 * labels, 1, 1] }

    package var bytesPerRow: Int { widths.reduce(0, +) }

    /// What so many rows take, to where the next stream's may begin.
    package func bytes(_ rows: Int) -> Int { (rows * bytesPerRow + 7) & ~7 }
}

extension TrainingSeries {
    /// Hands over the bytes of each column, in the layout's order.
    package func forEachColumn(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        func hand<Element>(_ column: Column<Element>) throws {
            try column.withUnsafeBufferPointer { try body(UnsafeRawBufferPointer($0)) }
        }
        try hand(times)
        try hand(center)
        try hand(scale)
        try hand(inputs)
        try hand(raw)
        try hand(targets)
        try hand(labels)
        try hand(boundary)
        try hand(warm)
    }

    /// Takes its rows from memory that is laid out so.
    ///
    /// - Parameters:
    ///   - memory: `layout.bytes(rows)` bytes, aligned to 8, that nobody writes to any more.
    ///   - owner: keeps it.
    package mutating func map(
        _ rows: Int, _ layout: RowLayout, from memory: UnsafeRawPointer, owner: any AnyObject & Sendable
    ) {
        var place = memory
        func next<Element>(_ values: Int) -> Column<Element> {
            let count = rows * values
            defer { place += count * MemoryLayout<Element>.stride }
            return Column(
                UnsafeBufferPointer(start: place.assumingMemoryBound(to: Element.self), count: count), owner: owner)
        }
        times = next(1)
        center = next(layout.targets)
        scale = next(layout.targets)
        inputs = next(layout.inputs)
        raw = next(layout.raw)
        targets = next(layout.targets)
        labels = next(layout.labels)
        boundary = next(1)
        warm = next(1)
    }

    /// Lets go of its rows.
    package mutating func removeRows() { self = TrainingSeries(name: name) }
}
