/// Texts that `sluice config` prints.
package enum ConfigurationText {
    /// What `sluice config init` writes: every setting with its default, those without one to be filled in, and in
    /// comments those that are off by default.
    package static let example = """
        # Sluice: every setting with its default. A variable overrides the file, a flag overrides both: model.hidden is
        # SLUICE_MODEL__HIDDEN in the environment, kafka's bootstrap.servers SLUICE_KAFKA__BOOTSTRAP_SERVERS.
        # Durations: 500ms, 10s, 1m, 6h, 30d. Check with "sluice config check", see what is in force with "… show".
        # A choice with * is not available yet, and refused.

        application: pumps                  # consumer group, transactional ids and internal topics derive from it
        kafka:                              # any librdkafka property, passed through
          bootstrap.servers: localhost:9092
        input:
          topic: observations
          format: json                      # json | csv
          # columns: [stream, time, temperature, load]   # csv only, in order; features by name
          time: /time                       # JSON pointer; where a record lacks it, Kafka's timestamp
          features:                         # name: JSON pointer; the order is the model's input order
            temperature: /values/temperature
            load: /values/load
          label: /label                     # for binary and categorical heads
          sequence: /sequence
          boundary: /boundary               # "start" or "end"; the header sluice-boundary does the same
          missing: carry                    # carry | zero | mean | reject: what a null or absent feature becomes
          late: apply                       # apply | drop | reject: an observation older than the stream's last
        output:
          topic: predictions
          rejects: observations.rejected    # malformed input goes here with the reason in headers
        boundaries:                         # where a stream's state starts anew, besides the records' own marks
          sequence_change: false            # true: where the sequence id changes
          # gap: 1h                         # after a silence longer than this
          # every: 288                      # after that many observations
          # daily: "00:00 Europe/Paris"     # at the first observation of a day
        model:
          hidden: 64
          layers: 1                         # 1 to 4
          targets: [temperature]            # features to forecast; without this line the first
          horizons: [1, 6, 12]              # in observations
          head: quantile                    # point | gaussian | quantile | binary | categorical
          quantiles: [0.1, 0.5, 0.9]        # 0.5 is mandatory
          classes: 3                        # categorical only
          warmup: 0                         # steps before a prediction counts as warm, besides the scaler's own
          initial_state: zero               # zero | normal | uniform | learned | learned+noise
          initial_state_deviation: 0.1      # of normal and learned+noise
          initial_state_range: [0, 1]       # of uniform
          initial_state_noise: false        # true: draw random ones in service too, where else the mean is taken
          scaling: per-stream               # none | global | per-stream
        state:
          directory: ./state
          checkpoint: 10s                   # how often changed slots are saved
          idle: 7d                          # event time; an idle slot is spilled to disk, never lost
          # streams_in_memory: 2000000      # of this instance; the others are on disk alone. Without it: all not idle
          lost_input: fail                  # fail | cold-start: where retention has taken inputs that states still need
        delivery: exactly-once              # exactly-once | at-least-once
        commit: 100ms
        workers: 2
        train:
          carry: across-batches             # per-batch | across-batches | across-sequences; or per epoch:
          # carry: [per-batch ×5, across-batches]
          chunk: 64                         # steps of a chunk: the reach of the gradient
          rows: 32                          # rows of a batch
          order: lanes                      # lanes | strided
          optimizer: adam                   # adam | sgd | adamw | rmsprop
          learning_rate: 0.001
          momentum: 0.9                     # of sgd
          # weight_decay: 0.01              # PyTorch's by default: 0.01 of adamw, 0 of the others
          schedule: constant                # constant | step | cosine | reduce-on-plateau
          schedule_epochs: 5                # between two steps; without improvement before the rate is reduced
          schedule_factor: 0.5              # by which a step or a plateau reduces the rate
          dropout: 0                        # share of the outputs between layers that is dropped in training
          loss_at: every                    # every | last: at every step, or at the last of a sequence
          epochs: 20
          patience: 10                      # epochs without improvement before stopping; 0: no early stopping
          clip: 1                           # largest norm of a gradient; 0: no clipping
          weights: pytorch                  # pytorch | xavier | kaiming | orthogonal
          forget_bias: 0                    # 0 | 1
          validation: 0.15                  # share of the data
          by: time                          # time | stream: hold out the last part in time, or whole streams
          test: 0
          seed: 0
          # threads: 2                      # all cores by default
        retrain:
          every: 6h                         # or never
          on_drift: false                   # false | true*
          window: 30d
          minimum: 2000                     # observations, before the first training
          carry: across-batches             # overrides train.carry
          promote: if-better                # if-better | always | manual
        admin:
          listen: 127.0.0.1:8080            # another address than loopback needs tokens or is refused
          # advertised: host:8080           # where the other instances reach it, if not at listen
          tokens: ./tokens.yaml             # "sluice tokens add --role viewer|admin" makes them

        """
}
