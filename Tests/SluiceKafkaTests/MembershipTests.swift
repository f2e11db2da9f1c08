import SluiceLog
import Testing

@testable import SluiceKafka

/// The layout in which librdkafka writes a membership.
@Suite struct MembershipTests {
    private func written(_ generation: Int32, _ texts: [String?], magic: String = "CGMDv2:") -> [UInt8] {
        var bytes = Array(magic.utf8)
        withUnsafeBytes(of: generation) { bytes += $0 }
        bytes += Array(texts[0]!.utf8) + [0] + Array(texts[1]!.utf8) + [0]
        guard let instance = texts[2] else { return bytes + [1] }
        return bytes + [0] + Array(instance.utf8) + [0]
    }

    @Test func aMembershipIsRead() {
        #expect(
            GroupMembership(written: written(7, ["g", "m-1", nil]))
                == GroupMembership(group: "g", generation: 7, member: "m-1"))
        #expect(
            GroupMembership(written: written(-1, ["grüppe", "", "one"]))
                == GroupMembership(group: "grüppe", generation: -1, member: "", instance: "one"))
    }

    @Test func anythingElseIsNone() {
        let whole = written(7, ["g", "m", "one"])
        for count in 0..<whole.count { #expect(GroupMembership(written: Array(whole[..<count])) == nil) }
        #expect(GroupMembership(written: whole + [0]) == nil)
        #expect(GroupMembership(written: written(7, ["g", "m", nil], magic: "CGMDv3:")) == nil)
    }
}
