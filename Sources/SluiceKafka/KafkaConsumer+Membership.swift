internal import CLibrdkafka
internal import SluiceCore
package import SluiceLog
internal import Synchronization

extension KafkaConsumer {
    package func membership() throws -> GroupMembership {
        let doing = "asking for the membership in the group of \(topic)"
        if unsafe rd_kafka_assignment_lost(handle.pointer) != 0 {
            throw KafkaError(RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST).during(doing)
        }
        let found = try groupMetadata()
        // Asked afterwards: a generation about to change is of no use, and one that changes after this is refused by
        // the broker.
        let isJoining = handle.context.isJoining.load(ordering: .relaxed)
        guard let found, !isJoining, found.generation >= 0, !found.member.isEmpty else {
            throw KafkaError(RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS).during(doing)
        }
        return found
    }

    /// What librdkafka holds for this member; nil outside any group.
    private func groupMetadata() throws -> GroupMembership? {
        guard let metadata = unsafe rd_kafka_consumer_group_metadata(handle.pointer) else { return nil }
        defer { unsafe rd_kafka_consumer_group_metadata_destroy(metadata) }
        var bytes: UnsafeMutableRawPointer?
        var size = 0
        if let error = unsafe rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size) {
            throw unsafe KafkaError(consuming: error).during("reading the membership in the group of \(topic)")
        }
        defer { unsafe rd_kafka_mem_free(handle.pointer, bytes) }
        return unsafe GroupMembership(written: Array(UnsafeRawBufferPointer(start: bytes, count: size)))
    }
}

extension GroupMembership {
    /// Reads what `rd_kafka_consumer_group_metadata_write` wrote, the only way librdkafka 2.0 tells a membership:
    /// `CGMDv2:`, the generation as a native Int32, group and member ending in NUL, whether there is no instance as one
    /// byte, the instance ending in NUL.
    ///
    /// Nil for anything else: another version's layout.
    init?(written bytes: [UInt8]) {
        let magic = Array("CGMDv2:".utf8)
        let start = magic.count + MemoryLayout<Int32>.size
        guard bytes.count >= start, bytes.starts(with: magic) else { return nil }
        var rest = bytes[start...]
        func text() -> String? {
            guard let end = rest.firstIndex(of: 0) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard let group = text(), let member = text(), let hasNoInstance = rest.popFirst() else { return nil }
        let instance = hasNoInstance == 0 ? text() : nil
        guard rest.isEmpty, hasNoInstance != 0 || instance != nil else { return nil }
        let generation = unsafe bytes.withUnsafeBytes {
            unsafe $0.loadUnaligned(fromByteOffset: magic.count, as: Int32.self)
        }
        self.init(group: group, generation: generation, member: member, instance: instance)
    }
}
