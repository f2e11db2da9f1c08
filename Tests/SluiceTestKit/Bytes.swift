/// Lends bytes as the log client and the decoder would: nil has no address, an empty value has one.
package func withBytes<Result>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result
{
    guard let bytes else { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    // An empty array has no address of its own.
    return try (bytes + [0]).withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<bytes.count])) }
}

package func withText<Result>(_ text: String?, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withBytes(text.map { Array($0.utf8) }, body)
}
