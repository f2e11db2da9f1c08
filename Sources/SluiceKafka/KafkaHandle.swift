internal import CLibrdkafka
internal import Logging
internal import SluiceCore

/// Owner of one `rd_kafka_t`: created with Sluice's callbacks, destroyed once.
///
/// The context outlives the handle: librdkafka's threads use it until `rd_kafka_destroy` has returned.
@safe
final class KafkaHandle {
    let context: ClientContext
    /// Never used after `close`.
    private(set) var pointer: OpaquePointer?

    init(
        _ role: HandleRole, _ configuration: KafkaConfiguration, owned: [String: String] = [:], health: KafkaHealth,
        logger: Logger
    ) throws {
        context = ClientContext(role, logger: logger, health: health)
        let settings = try configuration.settings(role, owned: owned)
        try open(role, settings)
    }

    private func open(_ role: HandleRole, _ settings: Settings) throws {
        let conf = unsafe settings.pointer
        unsafe rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(context).toOpaque())
        unsafe rd_kafka_conf_set_log_cb(conf) { handle, level, facility, text in
            guard let facility = unsafe facility, let text = unsafe text else { return }
            unsafe ClientContext.of(rd_kafka_opaque(handle))?
                .log(level: level, facility: String(cString: facility), text: String(cString: text))
        }
        unsafe rd_kafka_conf_set_error_cb(conf) { handle, code, text, opaque in
            let text = unsafe text.map { unsafe String(cString: $0) } ?? ""
            unsafe ClientContext.of(opaque)?.failed(handle, rd_kafka_resp_err_t(code), text)
        }
        if role == .consumer {
            unsafe rd_kafka_conf_set_rebalance_cb(conf) { _, code, partitions, opaque in
                guard let partitions = unsafe partitions else { return }
                unsafe ClientContext.of(opaque)?.rebalance?(code, partitions)
            }
        }
        if role.isProducer {
            unsafe rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
                guard let message = unsafe message, let opaque = unsafe opaque else { return }
                // For each message: a reference taken and given back would cost as much as the rest of it.
                unsafe Unmanaged<ClientContext>.fromOpaque(opaque)._withUnsafeGuaranteedRef {
                    unsafe $0.delivered(message)
                }
            }
        }
        unsafe watchBrokers(conf)
        if role == .consumer { unsafe watchRebalances(conf) }
        let type = role.isConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER
        let (handle, reason) = unsafe withErrorText { unsafe rd_kafka_new(type, conf, $0, $1) }
        guard let handle = unsafe handle else {
            throw SluiceError(.invalidConfiguration, "kafka: \(reason)", remedy: "correct the kafka block")
        }
        settings.release()
        unsafe pointer = handle
    }

    /// Connections that come and go are told by an interceptor; librdkafka has no other sign of one that comes up.
    private func watchBrokers(_ conf: OpaquePointer?) {
        let opaque = unsafe Unmanaged.passUnretained(context).toOpaque()
        unsafe rd_kafka_conf_interceptor_add_on_new(
            conf, "sluice",
            { handle, _, opaque, _, _ in
                unsafe rd_kafka_interceptor_add_on_broker_state_change(
                    handle, "sluice",
                    { _, _, _, host, port, state, opaque in
                        guard let state = unsafe state, let host = unsafe host else {
                            return RD_KAFKA_RESP_ERR_NO_ERROR
                        }
                        unsafe ClientContext.of(opaque)?
                            .brokerChanged("\(String(cString: host)):\(port)", state: String(cString: state))
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, opaque)
            }, opaque)
    }

    /// Whether the member is joining its group is told by the requests that go and the answers that come.
    private func watchRebalances(_ conf: OpaquePointer?) {
        let opaque = unsafe Unmanaged.passUnretained(context).toOpaque()
        unsafe rd_kafka_conf_interceptor_add_on_new(
            conf, "sluice-group",
            { handle, _, opaque, _, _ in
                unsafe rd_kafka_interceptor_add_on_request_sent(
                    handle, "sluice-group",
                    { _, _, _, _, request, _, _, _, opaque in
                        if request == ClientContext.joinGroup { unsafe ClientContext.of(opaque)?.setJoining(true) }
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, opaque)
                return unsafe rd_kafka_interceptor_add_on_response_received(
                    handle, "sluice-group",
                    { _, _, _, _, request, _, _, _, _, _, opaque in
                        if request == ClientContext.syncGroup { unsafe ClientContext.of(opaque)?.setJoining(false) }
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, opaque)
            }, opaque)
    }

    /// Throws what makes the handle unusable.
    @inline(__always)
    func check() throws {
        if let fatal = context.fatal { throw fatal }
    }

    /// Destroys the handle. A consumer has been closed before.
    func close() {
        guard let handle = unsafe pointer else { return }
        unsafe rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
        unsafe pointer = nil
        context.health.forget(context.name)
    }

    /// Gives up a handle that cannot be destroyed; it and its context stay for the life of the process.
    func abandon() {
        _ = unsafe Unmanaged.passRetained(context)
        unsafe pointer = nil
        context.health.forget(context.name)
    }

    deinit { close() }
}
