internal import ArgumentParser
internal import Logging
internal import ServiceLifecycle
internal import SluiceConfiguration
internal import SluiceCore
internal import SluiceService

/// `sluice serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The service: consume, predict, produce, answer over HTTP.",
        discussion: """
            Reads observations from input.topic, carries one state per stream, writes a prediction for each of them to \
            output.topic, and answers at admin.listen. Without --model the active model of its registry \
            (state.directory/models) predicts; with none there it waits until the input holds retrain.minimum \
            observations, trains and begins. Every retrain.every it trains anew on the recorded log, in a process of \
            its own, and swaps to the result as retrain.promote says.

            --model registers the file and predicts with it if it is new. One that was registered before, as at each \
            restart with the same arguments, changes nothing: what was trained or promoted since goes on, which is \
            said, and 'sluice models promote' goes back.

            It waits for a broker that is away and makes its own topics where it may; 'sluice topics create' makes \
            them all. The state lies in state.directory. On another address than loopback it needs access tokens: \
            'sluice tokens add' makes them.

            SIGINT (Ctrl-C) and SIGTERM deliver, save and commit what was taken in, then end it with exit code 0; a \
            second signal ends it at once, which loses nothing but may predict some observations twice.

            Every setting of the configuration can be given with --set, or in the environment: model.hidden is \
            SLUICE_MODEL__HIDDEN. Flags override the environment, that overrides the file. SLUICE_LOG sets the log \
            level.

            Examples:
              sluice serve
              sluice serve --model model.safetensors -c pumps.yaml
              sluice serve --set admin.listen=127.0.0.1:8081 --set retrain.every=never
              SLUICE_WORKERS=4 sluice serve --log-level debug
            """)

    @Option(
        help: ArgumentHelp(
            "Register this model and, if it is new, predict with it. (default: the active one)", valueName: "file"))
    var model: String?

    @OptionGroup var configuration: ConfigurationOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let logger = try log.logger()
        let loaded = try configuration.load(isServed: true)
        let runtime = try ServeRuntime(loaded, modelFile: model, logger: logger)
        let group = ServiceGroup(services: [runtime], logger: logger)
        try await Signals.during {
            try await group.run()
        } first: {
            logger.info("stopping: a second signal ends it at once")
            await group.triggerGracefulShutdown()
        }
        logger.info("stopped")
    }
}
