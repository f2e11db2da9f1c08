/// What of one partition a producer has on its way, and what it is handed next.
///
/// An idempotent producer of librdkafka begins no request for a partition of which five messages are under way
/// (`rktp_msgs_inflight` counts messages, where requests are meant), and while more of it is due the broker's thread
/// asks again without a pause: on a machine of few cores that takes more of the processor than the fold
/// (`rd_kafka_toppar_producer_serve`; the same in 2.0 and 2.12). So a partition is handed what one request takes, at
/// once and well within `linger.ms`, and more when that is answered: what would wait in librdkafka's queue waits before
/// it, in larger requests, and nothing is slower for it.
///
/// Confined to the thread that produces and polls.
struct SendWindow {
    /// `RD_KAFKA_IDEMP_MAX_INFLIGHT`.
    private static let underwayMaximum = 5

    /// What one request takes.
    struct Limits {
        /// Some tenths of a millisecond to hand over, well within the usual `linger.ms`.
        static let messagesMaximum = 4_096

        let messages, bytes: Int

        /// - Parameters:
        ///   - messages: `batch.num.messages`.
        ///   - bytes: `batch.size`, of which headers and framing take a part.
        init(messages: Int, bytes: Int) {
            self.messages = min(messages, Self.messagesMaximum)
            self.bytes = bytes / 10 * 9
        }
    }

    private let limits: Limits
    /// Messages handed over on which librdkafka has not reported.
    private(set) var underway = 0
    /// Of those, the ones handed over before the last mark. Counted, for messages to "any" partition are reported on in
    /// any order.
    private(set) var marked = 0
    /// Whether an odd number of marks were made.
    private(set) var isOdd = false
    /// Entries of the batch at hand that are to be handed over.
    var waiting = 0
    /// Entries to be handed over in this round.
    private(set) var chosen: [Int] = []
    private var bytes = 0
    /// No more is chosen in this round: what comes behind has no room either, for the order's sake.
    private var isFull = false

    init(_ limits: Limits) { self.limits = limits }

    mutating func beginRound() {
        chosen.removeAll(keepingCapacity: true)
        bytes = 0
        isFull = underway >= Self.underwayMaximum
    }

    /// Chooses an entry for this round where there is room for it.
    mutating func choose(_ index: Int, size: Int) {
        isFull = isFull || chosen.count == limits.messages || !chosen.isEmpty && bytes + size > limits.bytes
        guard !isFull else { return }
        chosen.append(index)
        bytes += size
    }

    /// Whether more is to be chosen in this round.
    var isHungry: Bool { !isFull && chosen.count < waiting }

    mutating func handedOver(_ count: Int) {
        underway += count
        waiting -= count
    }

    mutating func mark() {
        marked = underway
        isOdd.toggle()
    }

    mutating func reported(isMarked: Bool) {
        underway -= 1
        if isMarked { marked -= 1 }
    }
}

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
}
