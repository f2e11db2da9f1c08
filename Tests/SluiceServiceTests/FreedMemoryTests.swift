import Testing

@testable import SluiceService

@Suite struct FreedMemoryTests {
    private static let worth = FreedMemory.worthBytes

    @Test func whatWasFreedIsReturnedWhenTheServiceRestsAndItIsWorthIt() {
        var freed = FreedMemory()
        func isDue(_ records: Int, _ isReady: Bool, _ resident: Int) -> Bool {
            freed.isDue(records: records, isReady: isReady, isStored: true, resident: resident)
        }
        #expect(!isDue(10, false, 2 * Self.worth), "it is at work")
        #expect(isDue(10, false, 2 * Self.worth))
        freed.returned(resident: 2 * Self.worth)
        #expect(!isDue(10, false, 3 * Self.worth - 1), "too little")
        #expect(!isDue(11, false, 3 * Self.worth))
        #expect(isDue(11, false, 3 * Self.worth))
    }

    @Test func whatRestoringFreedIsReturnedWhenItEndsThoughInputsCome() {
        var freed = FreedMemory()
        func isDue(_ records: Int, _ isReady: Bool, _ resident: Int) -> Bool {
            freed.isDue(records: records, isReady: isReady, isStored: true, resident: resident)
        }
        #expect(!isDue(10, false, Self.worth))
        #expect(isDue(20, true, Self.worth))
        freed.returned(resident: Self.worth)
        #expect(!isDue(30, true, 3 * Self.worth))
    }

    @Test func whatHasNotGrownHasNothingToReturnWhenItIsReadyAgain() {
        var freed = FreedMemory()
        func isDue(_ records: Int, _ isReady: Bool) -> Bool {
            freed.isDue(records: records, isReady: isReady, isStored: true, resident: Self.worth)
        }
        #expect(isDue(10, true))
        freed.returned(resident: Self.worth)
        #expect(!isDue(20, false))
        #expect(!isDue(30, true), "its output was blocked")
    }

    @Test func whatIsFreedBehindARestorationIsReturnedAsLongAsThereIsMore() {
        var freed = FreedMemory()
        func isDue(_ records: Int, _ resident: Int) -> Bool {
            freed.isDue(records: records, isReady: true, isStored: true, resident: resident)
        }
        #expect(isDue(10, Self.worth))
        freed.returned(resident: Self.worth)
        #expect(!isDue(20, Self.worth), "it is at work")
        #expect(isDue(20, Self.worth), "the store has written since")
        freed.returned(resident: Self.worth - FreedMemory.moreBytes)
        #expect(isDue(20, Self.worth - FreedMemory.moreBytes), "it brought something")
        freed.returned(resident: Self.worth - 2 * FreedMemory.moreBytes + 1)
        #expect(!isDue(20, Self.worth), "it brought little")
    }

    @Test func whatStoringTookIsReturnedOnceWhenAllIsStored() {
        var freed = FreedMemory()
        func isDue(_ isStored: Bool) -> Bool {
            freed.isDue(records: 10, isReady: true, isStored: isStored, resident: Self.worth)
        }
        #expect(isDue(false))
        freed.returned(resident: Self.worth)
        _ = isDue(false)
        freed.returned(resident: Self.worth)
        #expect(!isDue(false), "it may take as long as a checkpoint")
        #expect(isDue(true))
        freed.returned(resident: Self.worth)
        #expect(!isDue(false))
        #expect(!isDue(true), "once")
    }
}
