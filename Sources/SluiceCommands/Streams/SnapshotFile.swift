internal import SluiceAdmin
internal import SluiceCore
internal import SluiceState

/// What the file of an exported stream says of itself.
struct SnapshotFile {
    let key: String
    /// Every input of its partition before it is in the state.
    let position: Offset
    let step: Int64
    /// SHA-256 of the model file.
    let modelHash: String
    let bytes: Int
    private let path: String

    /// - Throws: `state-invalid`, naming the file, for one that holds something else.
    init(_ bytes: [UInt8], _ path: String) throws {
        self.path = path
        self.bytes = bytes.count
        do {
            (key, position, step, modelHash) = try bytes.withUnsafeBytes { bytes in
                let summary = try SlotSnapshot.summary(bytes)
                return (
                    String(decoding: summary.key, as: UTF8.self), summary.position, summary.header.step,
                    summary.modelHash
                )
            }
        } catch let error as SluiceError {
            throw SluiceError(
                error.code, "\(path) is not the file of an exported stream: \(error.message)",
                remedy: "'sluice streams export' makes one")
        }
    }

    var json: String {
        var json = JSONWriter()
        json.object {
            $0.member("stream", key)
            $0.member("offset", position)
            $0.member("step", step)
            $0.member("sha256", modelHash)
            $0.member("bytes", bytes)
            $0.member("file", path)
        }
        return json.text
    }
}
