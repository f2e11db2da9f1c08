public import SluiceCore
import SluiceLSTM

/// The one format in which a slot leaves its table: state directory, changelog, export.
///
/// Version 2, little-endian, no padding (`schemas/snapshot.md` is the specification):
///
///     0   magic "SLOT"                 4   version UInt16, flags UInt16 (0)
///     8   length of the whole UInt32   12  XXH64 of all from 20 on
///     20  I, H, L, T, R UInt32 each    40  SHA-256 of the model file, 32 bytes
///     72  position, control, fence, time, step, boundary time, boundary offset Int64 each
///     128 resets UInt32                132 boundary cause UInt8, reserved UInt8, error count UInt16
///     136 forecast, anomaly, error Float each; 148 bins 16 × UInt16
///     180 key length UInt32, sequence length UInt32 (2³² − 1: none)
///     188 key, sequence; then mean [I], variance [I] Double, carried [I] Float, count [I] UInt16;
///         h [L][H], c [L][H] Float; ring [R][T] (value, width) Float
public struct SlotSnapshot {
    public static let magic: UInt32 = 0x544F_4C53
    public static let version: UInt16 = 2
    static let checksumOffset = 12
    static let hashOffset = 40
    static let noSequence = UInt32.max

    let layout: SlotLayout
    /// SHA-256 of the model file.
    let modelHash: [UInt8]

    /// - Parameter modelHash: SHA-256 in hexadecimal.
    /// - Throws: `model-invalid` for anything else.
    public init(layout: SlotLayout, modelHash: String) throws(SluiceError) {
        self.layout = layout
        let digits = Array(modelHash.utf8)
        self.modelHash = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
        guard digits.count == 64, self.modelHash.count == 32 else {
            throw SluiceError(.invalidModel, "the model has no hash", remedy: "save it to a file first")
        }
    }

    /// Appends the snapshot of a slot as it stands before the input at `position` and the command at `control`; returns
    /// its length.
    @discardableResult
    public func write(
        _ slot: UInt32, of table: SlotTable, position: Offset, control: Offset, to arena: inout ByteArena
    ) -> Int {
        let start = arena.count
        let block = table[slot]
        let scalars = unsafe SlotScalars(base: block.scalars, layout: layout)
        let header = unsafe block.header.pointee
        arena.put(Self.magic)
        arena.put(Self.version)
        arena.put(UInt16(0))
        arena.put(UInt32(0))
        arena.put(UInt64(0))
        arena.put(UInt32(layout.shape.inputs))
        arena.put(UInt32(layout.shape.hidden))
        arena.put(UInt32(layout.shape.layers))
        arena.put(UInt32(layout.targets))
        arena.put(UInt32(layout.ringLength))
        unsafe modelHash.withUnsafeBytes { unsafe arena.append($0) }
        arena.put(position)
        arena.put(control)
        writeScalars(header, table, to: &arena)
        unsafe arena.put(scalars.features, layout.shape.inputs * SlotLayout.featureBytes)
        for part in 0..<2 {
            for layer in 0..<layout.shape.layers {
                unsafe arena.put(block.state + (2 * layer + part) * layout.shape.paddedHidden, layout.shape.hidden * 4)
            }
        }
        unsafe arena.put(block.ring, layout.ringBytes)
        return arena.seal(from: start)
    }

    private func writeScalars(_ header: SlotHeader, _ table: SlotTable, to arena: inout ByteArena) {
        arena.put(header.fence)
        arena.put(header.time)
        arena.put(header.step)
        arena.put(header.boundaryTime)
        arena.put(header.boundaryOffset)
        arena.put(header.resets)
        arena.put(header.boundaryCause.rawValue)
        arena.put(UInt8(0))
        arena.put(header.errorCount)
        arena.put(header.forecast.bitPattern)
        arena.put(header.anomaly.bitPattern)
        arena.put(header.error.bitPattern)
        for bin in 0..<16 { arena.put(header.bins.counts[bin]) }
        let (key, sequence) = unsafe (table.texts.bytes(header.key), table.texts.bytes(header.sequence))
        arena.put(UInt32(key.count))
        unsafe arena.put(sequence.baseAddress == nil ? Self.noSequence : UInt32(sequence.count))
        unsafe arena.append(key)
        unsafe arena.append(sequence)
    }
}
