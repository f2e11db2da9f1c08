internal import ArgumentParser
internal import Foundation
internal import SluiceService

/// How `serve` has models trained.
struct TrainChild: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A model to be measured on the same validation rows, beside the trained one.", valueName: "file"))
    var incumbent: String?

    @Flag(
        name: .customLong("child"),
        help: "As 'serve' runs it: lowest priority, retrain.carry, its progress in JSON, over when stdin is.")
    var isChild = false

    /// Steps back behind everything else on the machine, and ends with whoever holds the other end of stdin.
    func becomeChild(_ interruption: Interruption) {
        // Those that libraries have started are lowered with this one, and those that follow inherit it. A service
        // that has a real-time priority has given it to this process.
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        for thread in threads.compactMap({ pid_t($0) }) { LowestPriority.take(thread: thread) }
        let watch = Thread {
            var byte: UInt8 = 0
            while read(STDIN_FILENO, &byte, 1) > 0 {}
            // Nobody is left to use the result.
            _exit(1)
        }
        watch.name = "parent"
        watch.start()
    }
}
