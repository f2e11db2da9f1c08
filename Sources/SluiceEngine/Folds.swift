import SluiceCore
import SluiceLSTM
import SluiceState

/// Names a model: in commands and events by its version, in a saved state by its hash.
package enum ModelReference: Hashable, Sendable {
    /// The one that a partition without a past begins with.
    case active
    case version(String)
    /// SHA-256 of the model file, in hexadecimal.
    case hash(String)
}

/// The models of one worker, made when first needed and kept while a partition uses them. Confined to the worker.
final class Folds {
    private let make: (ModelReference) throws -> Fold
    private var made: [Fold] = []

    init(_ make: @escaping (ModelReference) throws -> Fold) { self.make = make }

    /// - Throws: `model-unknown` where there is no such model, and what is wrong with it.
    func fold(_ reference: ModelReference) throws -> Fold {
        if let fold = made.first(where: { $0.specification.model.isNamed(by: reference) }) { return fold }
        let fold = try make(reference)
        // The active model may be at hand under its own name.
        if let same = made.first(where: { $0.specification.model.hash == fold.specification.model.hash }) {
            return same
        }
        made.append(fold)
        return fold
    }

    /// Lets go of models that no partition uses.
    func keep(_ used: some Sequence<PartitionState>) {
        let used = used.map(\.fold)
        made.removeAll { fold in !used.contains { $0.isSameModel(as: fold) } }
    }
}

extension Fold {
    /// Whether another fold is of the very same model, though it may have been made anew meanwhile.
    func isSameModel(as other: Fold) -> Bool {
        self === other
            || !specification.model.hash.isEmpty && specification.model.hash == other.specification.model.hash
    }
}

extension Model {
    fileprivate func isNamed(by reference: ModelReference) -> Bool {
        switch reference {
        case .active: false
        case .version(let version): manifest.version == version
        case .hash(let hash): self.hash == hash
        }
    }
}
