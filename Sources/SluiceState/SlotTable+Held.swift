public import SluiceCore

/// What a slot held when it came from a snapshot: every input of the partition before `position`, every command before
/// `control`.
public struct Held {
    public var position: Offset = 0
    public var control: Offset = 0
}

/// What restored slots hold already, while inputs and commands are folded again: not of the slot, for it is nothing to
/// remember of a million streams for good.
extension SlotTable {
    /// A slot has come from a snapshot.
    public func hold(_ slot: UInt32, position: Offset, control: Offset) {
        guard let count = unsafe held?.count else { return }
        if count <= Int(slot) {
            unsafe held?.append(contentsOf: repeatElement(Held(), count: Int(slot) + 1 - count))
        }
        unsafe held?[Int(slot)] = Held(position: position, control: control)
    }

    public func held(_ slot: UInt32) -> Held? {
        guard let held = unsafe held, slot < held.count else { return nil }
        return held[Int(slot)]
    }

    /// Whether an input is in the slot as it was restored.
    public func holds(_ slot: UInt32, input: Offset) -> Bool { held(slot).map { input < $0.position } ?? false }

    /// Whether a slot was stored behind a command and has come back with its effect.
    public func holds(_ slot: UInt32, _ control: Offset?) -> Bool {
        guard let control, let held = held(slot) else { return false }
        return control < held.control
    }

    /// A slot is another stream's from now on.
    func release(_ slot: UInt32) {
        if held(slot) != nil { unsafe held?[Int(slot)] = Held() }
    }

    /// Nothing is folded again, and no command is obeyed again, from now on.
    public func forgetHeld() {
        if unsafe held != nil { unsafe held = nil }
    }
}
