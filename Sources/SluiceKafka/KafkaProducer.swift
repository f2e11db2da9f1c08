internal import CLibrdkafka
package import Logging
internal import SluiceCore
package import SluiceLog

/// `LogProducer` over librdkafka's idempotent producer: order within a partition is kept and retries double nothing.
@safe
package final class KafkaProducer: LogProducer {
    private let sender: OutputSender

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

    package func close() { sender.close() }
}
