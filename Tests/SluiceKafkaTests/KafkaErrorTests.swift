import CLibrdkafka
import SluiceCore
import Testing

@testable import SluiceKafka

/// What an error of librdkafka means for whoever tried.
@Suite struct KafkaErrorTests {
    /// Seen behind a restart of the only broker: a look-up of offsets ended the service.
    @Test(arguments: [
        RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
    ]) func aPartitionThatABrokerDoesNotKnowYetIsTriedAgain(code: rd_kafka_resp_err_t) {
        #expect(KafkaError(code).during("looking up an offset").retry == .later)
    }

    @Test(arguments: [
        KafkaError(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID),
        KafkaError(RD_KAFKA_RESP_ERR__FATAL, "Fatal error: fenced by other consumer with same group.instance.id"),
    ])
    func aTwinIsNamedWithTheRemedy(error: KafkaError) {
        #expect(error.remedy?.contains("the port of its admin.listen") == true)
        #expect(KafkaError(RD_KAFKA_RESP_ERR__FATAL, "another").remedy == nil)
    }

    @Test func whatEndsAMembershipIsNotTriedAgainWithIt() {
        #expect(KafkaError(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID).during("reading").retry == .fatal)
        #expect(KafkaError(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).during("reading").retry == .never)
    }
}
