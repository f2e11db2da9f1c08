internal import CLibrdkafka
internal import Synchronization

/// Tells, on one of librdkafka's threads, whenever a queue that was empty holds something: `body` may call no handle
/// but others than the queue's. Confined to the queue's owner, who lets go of it before the queue.
@safe
final class QueueEvent {
    private let queue: OpaquePointer
    private let body: @Sendable () -> Void

    init(_ queue: OpaquePointer, _ body: @escaping @Sendable () -> Void) {
        unsafe self.queue = queue
        self.body = body
        let opaque = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe rd_kafka_queue_cb_event_enable(
            queue,
            { _, opaque in
                guard let opaque = unsafe opaque else { return }
                unsafe Unmanaged<QueueEvent>.fromOpaque(opaque).takeUnretainedValue().body()
            }, opaque)
    }

    /// librdkafka calls within the queue's lock: behind this it calls no more.
    deinit { unsafe rd_kafka_queue_cb_event_enable(queue, nil, nil) }
}

/// Makes a waiting poll return, from any thread, until disarmed.
final class QueueWaker: Sendable {
    // Librdkafka's queues may be yielded from any thread.
    @safe
    private struct Target: @unchecked Sendable {
        var queue: OpaquePointer?
    }
    private let target: Mutex<Target>

    init(_ queue: OpaquePointer) { unsafe target = Mutex(Target(queue: queue)) }

    func wake() {
        target.withLock { target in
            if let queue = unsafe target.queue { unsafe rd_kafka_queue_yield(queue) }
        }
    }

    func disarm() { target.withLock { unsafe $0.queue = nil } }
}
