/// Shows that something is waited for whose end is not known.
extension Console {
    /// Runs `body`; once that takes long, says so with the time that it has taken.
    func waiting<Result: Sendable>(
        _ text: String, _ body: @Sendable () async throws -> Result
    ) async rethrows -> Result {
        let ticker = Task { [self] in
            let bar = ProgressBar(console: self)
            let started = ContinuousClock.now
            while !Task.isCancelled {
                bar.show(nil) { "\(text), \(ProgressBar.duration((.now - started) / .seconds(1)))" }
                try? await Task.sleep(for: .milliseconds(100))
            }
            bar.clear()
        }
        do {
            let result = try await body()
            ticker.cancel()
            await ticker.value
            return result
        } catch {
            ticker.cancel()
            await ticker.value
            throw error
        }
    }
}
