import SluiceCore
import SluiceLSTM
import SluiceTestKit
import Testing

@testable import SluiceModelFile

/// Whatever is wrong with a file, the message names it.
@Suite struct RefusalTests {
    @Test(arguments: [
        ("bidirectional", "_reverse"), ("projections", "weight_hr"), ("no-bias", "lstm.bias_ih_l0 is missing"),
        ("half", "has type F16, not F32"),
    ])
    func kindsOfPyTorchModulesThatCannotBeServed(name: String, part: String) throws {
        #expect(Fixtures.refusal(try Fixtures.bytes("\(name).safetensors")).contains(part))
    }

    @Test func missingTensorsAreNamed() {
        for name in Fixtures.File().tensors.map(\.name) {
            var file = Fixtures.File()
            file.remove(name)
            #expect(Fixtures.refusal(file.bytes()).contains("tensor \(name) is missing"))
        }
    }

    @Test func extraTensorsAreNamed() {
        for (name, part) in [
            ("attention.weight", "not part of an LSTM"), ("initial_state.h", "initial_state zero"),
            ("scaler.mean", "scaling none"), ("lstm.weight_ih_l1", "lstm.weight_hh_l1"),
        ] {
            var file = Fixtures.File()
            file.append(name, shape: [8, 2])
            #expect(Fixtures.refusal(file.bytes()).contains(part))
        }
    }

    /// A few bytes may claim sizes of gigabytes: they are believed once the tensors are there.
    @Test func aSizeThatIsOnlyClaimedTakesNoMemory() {
        var file = Fixtures.File()
        file.tensors[1].shape = [4 * Limits.hidden, Limits.hidden]
        let bytes = file.bytes()
        var refusal = ""
        let taken = allocatedBytes { refusal = Fixtures.refusal(bytes) }
        #expect(refusal.contains("lstm.weight_ih_l0 has shape"))
        #expect(taken < 1 << 20, "\(taken) bytes")
    }

    @Test func wrongShapesAndTypesAreNamed() {
        for index in 0..<6 {
            var file = Fixtures.File()
            file.tensors[index].shape.append(1)
            #expect(Fixtures.refusal(file.bytes()).contains("\(file.tensors[index].name) has shape"))
            file = Fixtures.File()
            file.tensors[index].dtype = "I32"
            #expect(Fixtures.refusal(file.bytes()).contains("\(file.tensors[index].name) has type I32"))
        }
        var file = Fixtures.File()
        file.tensors[5].shape = []
        #expect(Fixtures.refusal(file.bytes()).contains("head.bias has shape []"))
    }

    @Test func headRowsMustMatchTheManifest() {
        var file = Fixtures.File()
        file.manifest = #"{"format": 1, "inputs": ["a"], "targets": ["a"], "horizons": [1, 2], "head": "point"}"#
        #expect(Fixtures.refusal(file.bytes()).contains("head.weight has shape [1, 2]"))
    }

    @Test func learnedStatesAndGlobalScalersAreRequired() {
        var file = Fixtures.File()
        file.manifest =
            #"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "point", "initial_state": "learned"}"#
        #expect(Fixtures.refusal(file.bytes()).contains("initial_state.h is missing"))
        file.manifest = #"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "point", "scaling": "global"}"#
        #expect(Fixtures.refusal(file.bytes()).contains("scaler.mean is missing"))
        file.append("scaler.mean", shape: [1])
        file.append("scaler.scale", shape: [1])
        #expect(Fixtures.refusal(file.bytes()).contains("scaler.scale is 0.0 for input a"))
    }

    @Test func holesOverlapsAndTailsAreNamed() {
        var file = Fixtures.File()
        file.tensors[5].offsets = [172, 176]
        file.data += [0, 0, 0, 0]
        #expect(Fixtures.refusal(file.bytes()).contains("hole of 4 bytes before tensor head.bias"))
        file = Fixtures.File()
        file.tensors[5].offsets = [164, 168]
        #expect(Fixtures.refusal(file.bytes()).contains("head.bias overlaps"))
        file = Fixtures.File()
        file.data += [0]
        #expect(Fixtures.refusal(file.bytes()).contains("1 bytes follow"))
        file = Fixtures.File()
        file.tensors[5].offsets = [168, Int.max]
        #expect(Fixtures.refusal(file.bytes()).contains("head.bias ends at byte"))
        file = Fixtures.File()
        file.tensors.append(file.tensors[5])
        #expect(Fixtures.refusal(file.bytes()).contains("head.bias appears twice"))
    }

    @Test func nonFiniteValuesAreNamed() {
        for (bytes, part) in [([0, 0, 0xC0, 0x7F], "a NaN"), ([0, 0, 0x80, 0xFF], "an infinity")] as [([UInt8], String)]
        {
            var file = Fixtures.File()
            file.data.replaceSubrange(164..<168, with: bytes)
            #expect(Fixtures.refusal(file.bytes()).contains("head.weight holds \(part) at element 1"))
        }
    }

    @Test func manifestFaultsAreNamed() {
        for (manifest, part) in [
            (nil, "lacks the key sluice.model"), ("", "not valid JSON"), ("[]", "sluice.model"),
            (#"{"inputs": ["a"], "targets": ["a"], "head": "point"}"#, "format is missing"),
            (#"{"format": 2, "inputs": ["a"], "targets": ["a"], "head": "point"}"#, "format 2"),
            (#"{"format": 1, "targets": ["a"], "head": "point"}"#, "inputs is missing"),
            (#"{"format": 1, "inputs": [1], "targets": ["a"], "head": "point"}"#, "inputs.[0]"),
            (
                #"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "softmax"}"#,
                "head is none of point, gaussian, quantile, binary, categorical"
            ),
            (
                #"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "point", "scaling": "stream"}"#,
                "scaling is none of none, global, per-stream"
            ),
            (#"{"format": 1, "inputs": ["a", "a"], "targets": ["a"], "head": "point"}"#, "a twice"),
            (#"{"format": 1, "inputs": [], "targets": ["a"], "head": "point"}"#, "inputs has 0 names"),
            (#"{"format": 1, "inputs": ["a"], "head": "point"}"#, "targets has 0 names"),
            (
                #"{"format": 1, "inputs": ["a"], "targets": ["b"], "head": "point", "scaling": "per-stream"}"#,
                "target b"
            ),
            (#"{"format": 1, "inputs": ["a"], "targets": ["a"], "horizons": [], "head": "point"}"#, "horizons"),
            (#"{"format": 1, "inputs": ["a"], "targets": ["a"], "horizons": [0], "head": "point"}"#, "horizons"),
            (#"{"format": 1, "inputs": ["a"], "targets": ["a"], "horizons": [2, 2], "head": "point"}"#, "horizons"),
            (#"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "quantile"}"#, "quantiles"),
            (#"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "quantile", "quantiles": [0.4]}"#, "lacks 0.5"),
            (
                #"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "quantile", "quantiles": [0.5, 0.1]}"#,
                "ascend"
            ),
            (
                #"{"format": 1, "inputs": ["a"], "targets": ["a"], "head": "quantile", "quantiles": [0.5, 1]}"#,
                "between"
            ),
            (#"{"format": 1, "inputs": ["a"], "head": "categorical"}"#, "classes is missing"),
            (#"{"format": 1, "inputs": ["a"], "head": "categorical", "classes": 99999999}"#, "classes is 99999999"),
        ] as [(String?, String)] {
            var file = Fixtures.File()
            file.manifest = manifest
            let message = Fixtures.refusal(file.bytes())
            #expect(message.contains(part), "\(manifest ?? "none"): \(message)")
        }
    }

    @Test func malformedHeadersAreRefused() {
        for header in [
            "", " {}", "{", "{} x", "[]", "{\"a\"}", "{\"a\":1}", "{\"a\":{\"dtype\":\"F32\"}}", "{\"a\u{1}\":{}}",
            "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":{\"a\":\"1\",\"a\":\"1\"}}", "{\"\\ud800\":{}}",
            "{\"\\x\":{}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
        ] {
            _ = Fixtures.refusal(Fixtures.File.file(header: header, []))
        }
        #expect(Fixtures.refusal([UInt8](repeating: 0xFF, count: 8)).contains("claims"))
    }

    @Test func everyTruncationIsRefused() throws {
        let bytes = try ModelFile.encode(Fixtures.model(Fixtures.point))
        for count in 0..<bytes.count { _ = Fixtures.refusal(Array(bytes[..<count])) }
    }

    @Test func flippedBitsNeverCrash() throws {
        let bytes = try Fixtures.bytes("quantile.safetensors")
        for index in bytes.indices {
            for bit in 0..<8 where index < 1_100 || bit == index % 8 {
                var flipped = bytes
                flipped[index] ^= 1 << UInt8(bit)
                if let model = try? ModelFile.decode(flipped, path: "x") {
                    #expect(model.parameters.values.allSatisfy { $0.isFinite })
                }
            }
        }
    }

    @Test func modelsThatContradictTheirManifestAreNotWritten() {
        var model = Fixtures.model(Fixtures.point)
        model.manifest.horizons = [1, 2]
        #expect(throws: SluiceError.self) { try ModelFile.encode(model) }
        model = Fixtures.model(Fixtures.point)
        model.manifest.scaling = .global
        #expect(throws: SluiceError.self) { try ModelFile.encode(model) }
    }
}
