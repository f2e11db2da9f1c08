import SluiceSchema

/// Commands on their way to the control topic, and who waits for them.
///
/// An entry stays until the broker has it: what is with a producer that fails goes to the next one.
struct CommandQueue {
    struct Entry {
        /// Counts up.
        var number: Int
        var command: Command
        var partition: Int32
    }

    struct Caller {
        /// Waits for the command's record on the audit, not only for the command to be written.
        let awaitsEffect: Bool
        let answer: CheckedContinuation<Event?, any Error>
        /// Entries of the command that the broker does not have yet.
        fileprivate(set) var unrecorded = 0

        init(awaitsEffect: Bool, answer: CheckedContinuation<Event?, any Error>) {
            self.awaitsEffect = awaitsEffect
            self.answer = answer
        }
    }

    private static let entriesMaximum = 10_000

    private var entries: [Entry] = []
    private var callers: [String: Caller] = [:]
    /// Entries ever added.
    private var count = 0
    /// Entries up to this number are with the present producer.
    private var handed = 0
    /// The present producer holds an entry that was withdrawn: only closing it takes that back.
    private(set) var isProducerStale = false

    var isEmpty: Bool { entries.isEmpty }
    var hasHanded: Bool { entries.contains { $0.number <= handed } }

    /// Adds a command for some partitions; false when there are too many, or the command is here already.
    mutating func add(_ command: Command, on partitions: [Int32], for caller: Caller) -> Bool {
        guard entries.count + partitions.count <= Self.entriesMaximum, callers[command.id] == nil else { return false }
        callers[command.id] = caller
        callers[command.id]?.unrecorded = partitions.count
        for partition in partitions {
            count += 1
            entries.append(Entry(number: count, command: command, partition: partition))
        }
        return true
    }

    /// Takes out the commands that no producer can take, before one has them. Returns who waited for them.
    mutating func takeLarge(_ isLarge: (Entry) -> Bool) -> [Caller] {
        let ids = Set(entries.filter { $0.number > handed && isLarge($0) }.map(\.command.id))
        guard !ids.isEmpty else { return [] }
        entries.removeAll { ids.contains($0.command.id) }
        return ids.compactMap { callers.removeValue(forKey: $0) }
    }

    /// What the producer does not have yet. It counts as handed over from now on.
    mutating func takeFresh() -> [Entry] {
        let fresh = entries.filter { $0.number > handed }
        handed = count
        return fresh
    }

    /// The producer did not take this entry, nor those behind it.
    mutating func putBack(from entry: Entry) { handed = min(handed, entry.number - 1) }

    /// The broker has all that was handed over. Returns who waited for no more than that.
    mutating func handedAreRecorded() -> [Caller] {
        var done: [Caller] = []
        for entry in entries where entry.number <= handed {
            let id = entry.command.id
            callers[id]?.unrecorded -= 1
            guard let caller = callers[id], caller.unrecorded == 0, !caller.awaitsEffect else { continue }
            done.append(caller)
            callers[id] = nil
        }
        entries.removeAll { $0.number <= handed }
        return done
    }

    /// The producer is gone, with what it held.
    mutating func producerClosed() {
        handed = 0
        isProducerStale = false
    }

    /// A command took effect. Returns who waited for that.
    mutating func tookEffect(_ id: String) -> Caller? {
        callers[id]?.awaitsEffect == true ? callers.removeValue(forKey: id) : nil
    }

    /// Takes a command back whose caller waits no longer.
    mutating func withdraw(_ id: String) -> Caller? {
        let isHanded = entries.contains { $0.command.id == id && $0.number <= handed }
        isProducerStale = isProducerStale || isHanded
        entries.removeAll { $0.command.id == id }
        return callers.removeValue(forKey: id)
    }

    /// Takes everything back.
    mutating func withdrawAll() -> [Caller] {
        defer { callers = [:] }
        isProducerStale = isProducerStale || hasHanded
        entries = []
        return Array(callers.values)
    }
}

extension CommandQueue.Caller {
    /// Tells that its time is over: nil where the broker has the command, so that it takes effect later, else why not.
    func dismiss(_ error: @autoclosure () -> any Error) {
        if unrecorded == 0 { answer.resume(returning: nil) } else { answer.resume(throwing: error()) }
    }
}
