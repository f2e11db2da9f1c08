public import SluiceCore

/// Keys of the changelog and of the stores: a slot has its stream's own key, everything else begins with a byte that no
/// UTF-8 text has.
public enum ChangelogKey {
    public static let reserved: UInt8 = 0xFF
    /// The head of a partition (`schemas/head.schema.json`).
    public static let head: [UInt8] = [reserved, UInt8(ascii: "h")]
    /// Before the key of every marker: a command to a whole partition, until all slots hold its effect.
    public static let markers: [UInt8] = [reserved, UInt8(ascii: "c")]

    /// The ids of the last commands that took effect.
    public static let commands: [UInt8] = [reserved, UInt8(ascii: "i")]

    /// The key of the marker of a command, by its place in the control partition, big-endian.
    public static func marker(control: Offset) -> [UInt8] {
        unsafe markers + withUnsafeBytes(of: control.bigEndian) { unsafe Array($0) }
    }

    public static func isHead(_ key: UnsafeRawBufferPointer) -> Bool {
        unsafe key.count == 2 && key[0] == reserved && key[1] == UInt8(ascii: "h")
    }

    /// Whether a key is a stream's.
    public static func isStream(_ key: UnsafeRawBufferPointer) -> Bool { unsafe key.first != reserved }
}
