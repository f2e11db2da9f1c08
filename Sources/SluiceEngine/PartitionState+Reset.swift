package import SluiceCore
import SluiceLSTM
package import SluiceSchema
import SluiceState

extension PartitionState {
    /// Sets back the streams a command names, between two inputs: the next one is folded from the fresh state.
    /// Statistics and fence go on. Returns how many streams it met.
    package func reset(_ target: Target, at offset: Offset) -> Int {
        precondition(fold.count == 0, "a command takes effect between batches")
        switch target {
        case .stream(let key):
            guard let slot = find(key) else { return 0 }
            reset(slot, offset)
            return 1
        case .prefix(let prefix):
            var matched = 0
            table.forEach { slot in
                guard table.key(slot).starts(with: prefix.utf8) else { return }
                reset(slot, offset)
                matched += 1
            }
            return matched
        }
    }

    private func reset(_ index: UInt32, _ offset: Offset) {
        let slot = table[index]
        ScalarPass.reset(
            SlotScalars(base: slot.scalars, layout: fold.layout), cause: .command, time: slot.header.pointee.time,
            offset: offset, inputs: fold.layout.shape.inputs)
        slot.base.copyMemory(from: table.initialState, byteCount: fold.layout.stateBytes)
        table.markDirty(index)
    }

    /// The slot of a stream.
    package func find(_ key: String) -> UInt32? {
        var key = key
        return key.withUTF8 { table.find(UnsafeRawBufferPointer($0)) }
    }
}
