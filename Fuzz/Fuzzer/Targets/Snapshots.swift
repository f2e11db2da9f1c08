import Foundation
import SluiceCore
import SluiceEngine
import SluiceLog
import SluiceSchema
import SluiceState

/// A slot's snapshot behind a byte that chooses the model: as it is, and sealed with its own length and checksum.
struct Snapshots: FuzzTarget {
    private let folds: [Fold]

    init() throws { folds = try SampleModels.folds() }

    static func seeds() throws -> [Seed] {
        try SampleModels.folds().enumerated().flatMap { index, fold in
            let slots = try SampleSlots(fold)
            try slots.fold(["a", "b"], sequences: ["s", nil])
            return try slots.snapshots().enumerated().map {
                Seed("seed-\(index)-\($0)", [UInt8(index)] + $1)
            }
        }
    }

    func run(_ bytes: UnsafeRawBufferPointer) throws {
        guard let first = bytes.first else { return }
        let fold = folds[Int(first) % folds.count]
        var snapshot = Array(bytes.dropFirst())
        try restore(snapshot, SampleSlots(fold))
        Sealing.seal(snapshot: &snapshot[...])
        try restore(snapshot, SampleSlots(fold))
    }

    private func restore(_ snapshot: [UInt8], _ slots: SampleSlots) throws {
        let restored = try expecting(.invalidState, .foreignState) { try slots.restore(snapshot) }
        guard let key = restored else {
            return check(slots.table.count == 0, "a snapshot that is refused leaves no slot")
        }
        try check(slots.snapshots() == [snapshot], "a snapshot that restores is written again as it was")
        check(String(validating: key, as: UTF8.self) != nil, "a key is UTF-8")
        try check(slots.restore(snapshot) == key && slots.table.count == 1, "a snapshot restores over itself")
        // Whatever state was sealed, the fold goes on from it, and to one that is restored again.
        try slots.fold([String(decoding: key, as: UTF8.self)], sequences: ["t", nil])
        let later = try slots.snapshots()
        try check(later.count == 1 && slots.restore(later[0]) == key, "what the fold comes to is restored again")
    }
}
