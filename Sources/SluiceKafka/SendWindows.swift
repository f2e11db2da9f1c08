internal import SluiceLog

/// The windows of all partitions of all topics of a producer, at addresses that librdkafka hands back with each report.
@safe
final class SendWindows {
    typealias Window = UnsafeMutablePointer<SendWindow>

    /// By topic, then partition; "any" is the first.
    private var windows: [[Window]]
    /// All of them.
    private var list: [Window] = unsafe []
    private let limits: SendWindow.Limits

    init(topics: Int, _ limits: SendWindow.Limits) {
        self.limits = limits
        unsafe windows = unsafe Array(repeating: [], count: topics)
    }

    deinit {
        for index in 0..<count {
            unsafe list[index].deinitialize(count: 1)
            unsafe list[index].deallocate()
        }
    }

    var count: Int { unsafe list.count }
    /// Entries of the batch at hand that are to be handed over, of all partitions.
    var waiting: Int { unsafe list.reduce(0) { unsafe $0 + $1.pointee.waiting } }
    subscript(index: Int) -> Window { unsafe list[index] }

    @inline(__always)
    func window(topic: Int, partition: Int) -> Window {
        while unsafe windows[topic].count <= partition + 1 {
            let window = Window.allocate(capacity: 1)
            unsafe window.initialize(to: SendWindow(limits))
            unsafe windows[topic].append(window)
            unsafe list.append(window)
        }
        return unsafe windows[topic][partition + 1]
    }

    /// What a message of a window is handed over with, and comes back with its report: its address, whose lowest bit,
    /// always zero, says before which mark that was.
    @inline(__always)
    static func opaque(_ window: Window) -> UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(window) + (window.pointee.isOdd ? 1 : 0)
    }

    /// A message has been reported on.
    @inline(__always)
    static func report(_ opaque: UnsafeMutableRawPointer?) {
        guard let opaque = unsafe opaque else { return }
        let isOdd = UInt(bitPattern: opaque) & 1 == 1
        let window = unsafe (opaque - (isOdd ? 1 : 0)).assumingMemoryBound(to: SendWindow.self)
        unsafe window.pointee.reported(isMarked: isOdd != window.pointee.isOdd)
    }

    /// Whether all that was handed over before the last mark has been reported on.
    var isMarkReported: Bool { unsafe list.allSatisfy { unsafe $0.pointee.marked == 0 } }

    func mark() {
        precondition(isMarkReported, "one mark at a time")
        for index in 0..<count { unsafe list[index].pointee.mark() }
    }

    /// Chooses entries for each partition, and looks no further than where each has what it takes.
    func choose(from batch: borrowing OutputBatch) {
        // What waits and was not counted is at the end; but in a batch that nothing is taken of yet.
        var added = batch.waiting - waiting
        if batch.handedOver == 0 || added < 0 {
            for index in 0..<count { unsafe list[index].pointee.waiting = 0 }
            added = batch.entries.count
        }
        for index in max(batch.next, batch.entries.count - added)..<batch.entries.count
        where !batch.entries[index].isHandedOver {
            unsafe window(of: batch.entries[index]).pointee.waiting += 1
        }
        var hungry = 0
        for index in 0..<count {
            unsafe list[index].pointee.beginRound()
            if unsafe list[index].pointee.isHungry { hungry += 1 }
        }
        var index = batch.next
        while hungry > 0 && index < batch.entries.count {
            let entry = batch.entries[index]
            if !entry.isHandedOver {
                let window = unsafe window(of: entry)
                let wasHungry = unsafe window.pointee.isHungry
                unsafe window.pointee.choose(index, size: (entry.key?.count ?? 0) + (entry.value?.count ?? 0))
                if unsafe wasHungry && !window.pointee.isHungry { hungry -= 1 }
            }
            index += 1
        }
    }

    private func window(of entry: OutputBatch.Entry) -> SendWindows.Window {
        unsafe window(topic: Int(entry.topic.rawValue), partition: Int(entry.partition))
    }
}
