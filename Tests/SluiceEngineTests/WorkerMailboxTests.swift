import Testing

@testable import SluiceEngine

@Suite struct WorkerMailboxTests {
    /// The worker may take long to finish; who asks meanwhile must not wait for that.
    @Test func aStopAnswersWhoWaitsAndWhoComesLater() async {
        let mailbox = WorkerMailbox()
        async let waiting = mailbox.ask { $0.index }
        mailbox.stop()
        #expect(await waiting == nil)
        #expect(await mailbox.ask { $0.index } == nil)
        #expect(mailbox.isStopping)
    }
}
