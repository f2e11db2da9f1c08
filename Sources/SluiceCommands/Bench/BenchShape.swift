internal import ArgumentParser
internal import Foundation
internal import SluiceCore
internal import SluiceService

/// The network and the observations of a measurement.
struct BenchShape: ParsableArguments {
    @Option(help: "Features of an observation.")
    var features = 8

    @Option(help: "Units of each layer.")
    var hidden = 64

    @Option(help: "Layers.")
    var layers = 1

    func validate() throws {
        try Self.check([
            ("--features", features, 1_000), ("--hidden", hidden, Limits.hidden), ("--layers", layers, Limits.layers),
        ])
    }

    /// - Throws: which option is not from 1 to its limit.
    static func check(_ options: [(name: String, value: Int, limit: Int)]) throws {
        for (name, value, limit) in options where !(1...limit).contains(value) {
            throw ValidationError("\(name) must be from 1 to \(limit).")
        }
    }

    /// - Throws: which option, where it is given, is not from 1 to its limit.
    static func check(given options: [(name: String, value: Int?, limit: Int)]) throws {
        try check(options.compactMap { option in option.value.map { (option.name, $0, option.limit) } })
    }

    /// What is given fits none of the usual shapes.
    static func noShape(_ all: String) -> ValidationError {
        ValidationError("None of the usual shapes has these sizes: give \(all), all of them, for a shape of your own.")
    }

    /// - Parameter what: the options that ask for so much.
    static func check(bytes: Int, _ what: String) throws {
        let (needed, present) = (Double(bytes) / 1e9, Double(ProcessMemory.availableBytes) / 1e9)
        guard needed < present * 0.9 else {
            let text = String(format: "takes about %.1f GB, and this machine has %.1f left.", needed, present)
            throw ValidationError("\(what) \(text)")
        }
    }

    static func check(seconds: Double) throws {
        guard seconds > 0, seconds <= 3_600 else { throw ValidationError("--seconds must be above 0, up to 3600.") }
    }
}
