internal import ArgumentParser

/// How measurements are printed.
struct BenchOutput: ParsableArguments {
    @Flag(help: "One JSON object a line.")
    var json = false
}
