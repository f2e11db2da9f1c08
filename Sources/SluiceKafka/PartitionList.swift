internal import CLibrdkafka
internal import Glibc
internal import SluiceCore

/// Owner of a list of partitions with offsets, metadata and an error each.
@safe
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(capacity: Int) { unsafe pointer = rd_kafka_topic_partition_list_new(Int32(capacity)) }

    /// Takes ownership.
    init(taking pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) { unsafe self.pointer = pointer }

    init(topic: String, _ partitions: some Collection<Int32>) {
        self.init(capacity: partitions.count)
        for partition in partitions { add(topic, partition) }
    }

    deinit { unsafe rd_kafka_topic_partition_list_destroy(pointer) }

    func add(_ topic: String, _ partition: Int32, offset: Offset? = nil, metadata: String? = nil) {
        let element = unsafe rd_kafka_topic_partition_list_add(pointer, topic, partition)!
        if let offset { unsafe element.pointee.offset = offset }
        // The list frees it.
        if let metadata, let text = unsafe strdup(metadata) {
            unsafe element.pointee.metadata = UnsafeMutableRawPointer(text)
            unsafe element.pointee.metadata_size = strlen(text)
        }
    }

    var count: Int { unsafe Int(pointer.pointee.cnt) }

    struct Element {
        let partition: Int32
        let offset: Offset
        let metadata: String
        let code: rd_kafka_resp_err_t
    }

    subscript(index: Int) -> Element {
        precondition(index < count)
        let element = unsafe pointer.pointee.elems[index]
        let metadata = unsafe element.metadata.map {
            unsafe String(
                decoding: UnsafeRawBufferPointer(start: $0, count: element.metadata_size), as: UTF8.self)
        }
        return unsafe Element(
            partition: element.partition, offset: element.offset, metadata: metadata ?? "", code: element.err)
    }
}
