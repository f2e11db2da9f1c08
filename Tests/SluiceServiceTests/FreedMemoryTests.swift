import Testing

@testable import SluiceService

@Suite struct FreedMemoryTests {
    private static let worth = FreedMemory.worthBytes

    @Test func whatWasFreedIsReturnedWhenTheServiceRestsAndItIsWorthIt() {
        var freed = FreedMemory()
        func isDue(_ records: Int, _ isReady: Bool, _ resident: Int) -> Bool {
            freed.isDue(records: records, isReady: isReady, resident: resident)
        }
        #expect(!isDue(10, false, 2 * Self.worth), "it is at work")
        #expect(isDue(10, false, 2 * Self.worth))
        freed.returned(resident: Self.worth)
        #expect(!isDue(10, false, 2 * Self.worth - 1), "too little")
        #expect(!isDue(11, false, 2 * Self.worth))
        #expect(isDue(11, false, 2 * Self.worth))
    }

    @Test func whatRestoringFreedIsReturnedWhenItEndsThoughInputsCome() {
        var freed = FreedMemory()
        func isDue(_ records: Int, _ isReady: Bool, _ resident: Int) -> Bool {
            freed.isDue(records: records, isReady: isReady, resident: resident)
        }
        #expect(!isDue(10, false, Self.worth))
        #expect(isDue(20, true, Self.worth))
        freed.returned(resident: Self.worth)
        #expect(!isDue(30, true, 3 * Self.worth))
    }
}
