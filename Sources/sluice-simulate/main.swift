import ArgumentParser
import Glibc

// Swift's dictionaries are in another order in every process, and so are calls that the engine makes over them: a seed
// repeats a run only with one order for all.
if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    execv("/proc/self/exe", CommandLine.unsafeArgv)
}
// A trap in the engine ends the process: the seed is said with the last breath.
signal(SIGILL) { _ in
    var digits = "\(Simulate.seedAtHand)"
    digits = "\nsluice-simulate --seed \(digits) --runs 1 traps\n"
    _ = digits.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    _exit(2)
}
Simulate.main()
