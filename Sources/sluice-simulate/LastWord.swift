import Glibc

/// What the process says with its last breath when a run traps or hangs: the line that repeats it.
enum LastWord {
    /// Longer than any seed takes, in a debug build on a busy machine.
    private static let secondsMaximum: UInt32 = 900

    // One thread writes it, and a signal's handler on that one reads it.
    nonisolated(unsafe) private static var line: UnsafeMutablePointer<CChar>?
    // Likewise; the handler may count nothing itself.
    nonisolated(unsafe) private static var length = 0

    /// Traps are SIGILL on x86-64 and SIGTRAP on arm64; a run that does not end is SIGALRM's.
    static func arrange() {
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGALRM] {
            signal(number) { number in
                if let line = LastWord.line { _ = write(STDERR_FILENO, line, LastWord.length) }
                _exit(number == SIGALRM ? 3 : 2)
            }
        }
    }

    /// A run begins.
    static func prepare(_ repetition: String) {
        let old = line
        let text = "\nthis run traps or does not end: \(repetition)\n"
        line = strdup(text)
        length = text.utf8.count
        free(old)
        alarm(secondsMaximum)
    }
}
