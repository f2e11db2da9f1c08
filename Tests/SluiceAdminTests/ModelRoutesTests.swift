import Foundation
import Hummingbird
import SluiceAdminTestKit
import SluiceCore
import Testing

@testable import SluiceAdmin

@Suite struct ModelRoutesTests {
    @Test func theListNamesTheActiveModel() async throws {
        let answer = try await ask(.get, "/v1/models")
        #expect(answer.status == 200)
        let list = try JSONDecoder().decode(ModelList.self, from: Data(answer.text.utf8))
        #expect(list.models.map(\.version) == ["v6", "v7"])
        #expect(list.models.map(\.active) == [false, true])
        #expect(list.models[1].partitions == [0, 1] && list.models[1].by == "retrain")
    }

    @Test func aPromotionSaysWhatItReplaced() async throws {
        let backend = FakeBackend()
        let answer = try await ask(.post, "/v1/models/v6/promote", backend: backend)
        #expect(answer.status == 200)
        #expect(answer.text == #"{"version":"v6","previous":"v7","settled":true}"#)
        #expect(backend.resets == ["promote v6 by unknown"])
    }

    @Test func aPromotionThatIsNotSettledIs202() async throws {
        let backend = FakeBackend()
        backend.change { $0.isSlow = true }
        #expect(try await ask(.post, "/v1/models/v6/promote", backend: backend).status == 202)
        #expect(try await ask(.post, "/v1/models/rollback", body: "{}", backend: backend).status == 202)
    }

    @Test func aModelThatIsNotThereIs404() async throws {
        let answer = try await ask(.post, "/v1/models/v9/promote")
        #expect(answer.status == 404 && answer.problem?.code == "model-unknown")
    }

    @Test func aFileThatIsTakenInWaitsToBePromoted() async throws {
        let backend = FakeBackend()
        let taken = try await ask(.post, "/v1/models/import", body: "v8", backend: backend)
        #expect(taken.status == 200 && taken.text.hasPrefix(#"{"version":"v8""#))
        #expect(backend.resets == ["import model v8 by unknown"])
        let refused = try await ask(.post, "/v1/models/import", body: "8", backend: backend)
        #expect(refused.status == 400 && refused.problem?.code == "model-invalid")
    }

    @Test func aModelsFileIsItsBytes() async throws {
        let answer = try await ask(.get, "/v1/models/v7/export")
        #expect(answer.status == 200 && answer.text == "file of v7")
        #expect(try await ask(.get, "/v1/models/v9/export").status == 404)
    }
}
