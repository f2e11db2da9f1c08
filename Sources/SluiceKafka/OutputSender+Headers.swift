internal import CLibrdkafka
internal import SluiceCore
internal import SluiceLog

extension OutputSender {
    /// Hands over one message with its headers, or its timestamp, as `send` does those without.
    func sendWithHeaders(
        _ entry: OutputBatch.Entry, _ batch: borrowing OutputBatch, _ topic: OpaquePointer,
        _ window: SendWindows.Window
    ) -> rd_kafka_resp_err_t {
        let headers = unsafe rd_kafka_headers_new(entry.headers.count)
        for index in entry.headers {
            let value = unsafe batch.arena.bytes(batch.headers[index].value)
            unsafe rd_kafka_header_add(headers, batch.headers[index].name, -1, value.baseAddress, value.count)
        }
        let key = unsafe Self.bytes(entry.key, batch)
        let value = unsafe Self.bytes(entry.value, batch)
        let error = unsafe withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 8) { arguments in
            for index in 0..<8 { unsafe arguments.initializeElement(at: index, to: rd_kafka_vu_t()) }
            unsafe arguments[0].vtype = RD_KAFKA_VTYPE_RKT
            unsafe arguments[0].u.rkt = topic
            unsafe arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION
            unsafe arguments[1].u.i32 = entry.partition
            unsafe arguments[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS
            unsafe arguments[2].u.i = RD_KAFKA_MSG_F_COPY
            unsafe arguments[3].vtype = RD_KAFKA_VTYPE_KEY
            unsafe arguments[3].u.mem.ptr = UnsafeMutableRawPointer(mutating: key.baseAddress)
            unsafe arguments[3].u.mem.size = key.count
            unsafe arguments[4].vtype = RD_KAFKA_VTYPE_VALUE
            unsafe arguments[4].u.mem.ptr = UnsafeMutableRawPointer(mutating: value.baseAddress)
            unsafe arguments[4].u.mem.size = value.count
            unsafe arguments[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP
            unsafe arguments[5].u.i64 = max(0, entry.timestamp)
            unsafe arguments[6].vtype = RD_KAFKA_VTYPE_HEADERS
            unsafe arguments[6].u.headers = headers
            unsafe arguments[7].vtype = RD_KAFKA_VTYPE_OPAQUE
            unsafe arguments[7].u.ptr = SendWindows.opaque(window)
            return unsafe rd_kafka_produceva(handle.pointer, arguments.baseAddress, arguments.count)
        }
        guard let error = unsafe error else { return RD_KAFKA_RESP_ERR_NO_ERROR }
        unsafe rd_kafka_headers_destroy(headers)
        let code = unsafe rd_kafka_error_code(error)
        unsafe rd_kafka_error_destroy(error)
        return code
    }
}
