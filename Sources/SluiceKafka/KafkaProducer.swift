internal import CLibrdkafka
package import Logging
internal import SluiceCore
package import SluiceLog

/// `LogProducer` over librdkafka's idempotent producer: order within a partition is kept and retries double nothing.
@safe
package final class KafkaProducer: LogProducer {
    private let sender: OutputSender
    /// Where reports of delivery arrive, and what tells of them.
    private var reports: OpaquePointer?
    private var reported: QueueEvent?

    /// - Parameter isAlone: every record goes in a batch of its own, uncompressed, so that a refusal says of which one.
    package init(
        _ configuration: KafkaConfiguration, topics: [OutputTopic: String], isAlone: Bool = false, health: KafkaHealth,
        logger: Logger
    ) throws {
        sender = try OutputSender(
            .producer, configuration, topics: topics, isAlone: isAlone, health: health, logger: logger)
    }

    deinit { close() }

    package var messageBytesMax: Int { sender.messageBytesMax }
    package var messagesMaximum: Int { sender.messagesMaximum }
    package var pending: Int { sender.pending }

    @discardableResult
    package func produce(_ batch: inout OutputBatch) throws -> Bool { try sender.produce(&batch) }

    package func poll(timeoutMilliseconds: Int) throws {
        guard let pointer = unsafe sender.handle.pointer else { return }
        unsafe rd_kafka_poll(pointer, Int32(clamping: timeoutMilliseconds))
        try checkDelivery()
    }

    package func flush(timeoutMilliseconds: Int) throws -> Bool {
        guard let pointer = unsafe sender.handle.pointer else { return true }
        let code = unsafe rd_kafka_flush(pointer, Int32(clamping: timeoutMilliseconds))
        try checkDelivery()
        return code == RD_KAFKA_RESP_ERR_NO_ERROR && pending == 0
    }

    package func mark() { sender.mark() }
    package var isMarkDelivered: Bool { sender.isMarkDelivered }

    private func checkDelivery() throws {
        sender.noteBusy()
        if let undelivered = sender.handle.context.undelivered { throw undelivered }
        try sender.handle.check()
    }

    package func onDelivery(_ body: @escaping @Sendable () -> Void) {
        letGoOfReports()
        let reports = unsafe rd_kafka_queue_get_main(sender.handle.pointer)
        unsafe self.reports = reports
        reported = unsafe reports.map { unsafe QueueEvent($0, body) }
    }

    private func letGoOfReports() {
        reported = nil
        if let reports = unsafe reports { unsafe rd_kafka_queue_destroy(reports) }
        unsafe reports = nil
    }

    package func close() {
        letGoOfReports()
        sender.close()
    }
}
