/// One column of a stream's rows: an array, or a part of mapped memory, which the system fetches and lets go of as it
/// needs. Changing a mapped one makes an array of it.
package struct Column<Element: BitwiseCopyable & Sendable>: Sendable {
    private var array: [Element]
    private var mapped: Mapped?

    /// - Safety: `owner` keeps the memory mapped, and nobody writes to it any more.
    private struct Mapped: @unchecked Sendable {
        let values: UnsafeBufferPointer<Element>
        let owner: any AnyObject & Sendable
    }

    package init() { array = [] }

    /// - Parameters:
    ///   - values: is not written to any more.
    ///   - owner: keeps the memory that they lie in.
    package init(_ values: UnsafeBufferPointer<Element>, owner: any AnyObject & Sendable) {
        array = []
        mapped = Mapped(values: values, owner: owner)
    }

    package func withUnsafeBufferPointer<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let mapped else { return try array.withUnsafeBufferPointer(body) }
        defer { withExtendedLifetime(mapped.owner) {} }
        return try body(mapped.values)
    }

    private mutating func own() {
        guard let mapped else { return }
        array = Array(mapped.values)
        self.mapped = nil
    }
}

extension Column: RandomAccessCollection, MutableCollection, RangeReplaceableCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { mapped?.values.count ?? array.count }

    package subscript(position: Int) -> Element {
        get { mapped.map { $0.values[position] } ?? array[position] }
        set {
            own()
            array[position] = newValue
        }
    }

    package mutating func replaceSubrange(_ range: Range<Int>, with values: some Collection<Element>) {
        own()
        array.replaceSubrange(range, with: values)
    }

    package mutating func append(_ value: Element) {
        own()
        array.append(value)
    }

    package mutating func append(contentsOf values: some Sequence<Element>) {
        own()
        array.append(contentsOf: values)
    }

    package mutating func removeAll(keepingCapacity: Bool = false) {
        mapped = nil
        array.removeAll(keepingCapacity: keepingCapacity)
    }
}

extension Column: ExpressibleByArrayLiteral, Equatable where Element: Equatable {
    package init(arrayLiteral values: Element...) { array = values }

    package static func == (a: Column, b: Column) -> Bool { a.elementsEqual(b) }
}
