internal import CLibrdkafka
internal import SluiceCore

/// A member of a consumer group, as its coordinator knows it.
package struct GroupMember: Sendable, Equatable {
    /// `group.instance.id`; nil for a member that is not static.
    package var instance: String?
    /// From where it speaks to the broker.
    package var host: String
    /// Of the topic that was asked for.
    package var partitions: [Int32]

    package init(instance: String?, host: String, partitions: [Int32]) {
        self.instance = instance
        self.host = host
        self.partitions = partitions
    }
}

extension KafkaAdmin {
    /// Who is in a consumer group now, and which partitions of a topic each has. The embedded broker does not tell.
    ///
    /// - Throws: `broker` with the reason.
    package func members(of group: String, topic: String, timeoutMilliseconds: Int) throws -> [GroupMember] {
        let doing = "asking for the members of the group \(group)"
        let event = try unsafe group.withCString { name in
            var names: [UnsafePointer<CChar>?] = unsafe [name]
            return try unsafe ask(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, timeoutMilliseconds, doing) {
                unsafe rd_kafka_DescribeConsumerGroups(handle.pointer, &names, 1, $0, answers)
            }
        }
        defer { unsafe rd_kafka_event_destroy(event) }
        let result = unsafe rd_kafka_event_DescribeConsumerGroups_result(event)
        var count = 0
        guard let groups = unsafe rd_kafka_DescribeConsumerGroups_result_groups(result, &count), count == 1,
            let description = unsafe groups[0]
        else { return [] }
        if let error = unsafe rd_kafka_ConsumerGroupDescription_error(description) {
            throw unsafe KafkaError(rd_kafka_error_code(error), String(cString: rd_kafka_error_string(error)))
                .during(doing)
        }
        return unsafe (0..<rd_kafka_ConsumerGroupDescription_member_count(description)).map { index in
            let member = unsafe rd_kafka_ConsumerGroupDescription_member(description, index)
            let assigned = unsafe rd_kafka_MemberAssignment_partitions(rd_kafka_MemberDescription_assignment(member))
            let elements = unsafe (0..<Int(assigned?.pointee.cnt ?? 0)).map { unsafe assigned!.pointee.elems[$0] }
            return unsafe GroupMember(
                instance: rd_kafka_MemberDescription_group_instance_id(member).map { unsafe String(cString: $0) },
                host: rd_kafka_MemberDescription_host(member).map { unsafe String(cString: $0) } ?? "",
                partitions: elements.filter { unsafe String(cString: $0.topic) == topic }
                    .map { unsafe $0.partition })
        }
    }
}
