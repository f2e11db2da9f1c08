package import SluiceCore
package import SluiceLSTM
package import SluiceTraining

/// The report of one training run.
package struct TrainingPage {
    package var model: Model
    package var result: TrainingResult
    /// Inputs that never change.
    package var constantInputs: [String]
    /// Whose warnings are shown; nil: there is nothing to be said of it.
    package var division: DataDivision?
    /// The search beforehand; nil without one.
    package var tuning: TuningResult?
    /// The trial that the model is of where the search was the last that was trained.
    package var standby: TuningTrial?
    package var folds: [FoldResult]
    package var training: TrainingConfiguration
    /// The effective configuration as text, without secrets.
    package var configuration: String
    package var started: Timestamp
    package var seconds: Double
    /// Epochs that an interrupted run had ended before; nil for a run of one piece. `started` and `seconds` are of the
    /// last piece.
    package var resumedAfter: Int?

    package init(
        model: Model, result: TrainingResult, constantInputs: [String] = [],
        division: DataDivision? = nil, tuning: TuningResult? = nil, standby: TuningTrial? = nil,
        folds: [FoldResult],
        training: TrainingConfiguration, configuration: String, started: Timestamp, seconds: Double,
        resumedAfter: Int? = nil
    ) {
        self.model = model
        self.result = result
        self.constantInputs = constantInputs
        self.division = division
        self.tuning = tuning
        self.standby = standby
        self.folds = folds
        self.training = training
        self.configuration = configuration
        self.started = started
        self.seconds = seconds
        self.resumedAfter = resumedAfter
    }

    package var html: String {
        var page = Page(
            "Training of \(model.manifest.name), \(model.manifest.version)",
            subtitle: """
                \(beginning), took \(duration) · \
                file sha256 <code>\(model.hash.isEmpty ? "–" : String(model.hash.prefix(16)) + "…")</code>
                """)
        page.section("Outcome", outcome)
        page.section("Loss", losses)
        if let errors = result.errors {
            if let classes = errors.classes { page.section("Accuracy", accuracy(classes, errors.part)) }
            if !errors.horizons.isEmpty { page.section("Errors of the forecasts", ErrorsSection(errors).html) }
        }
        if let gap = result.carryGap { page.section("Carry gap", carryGap(gap)) }
        if let tuning { page.section("Search", TuningSection(tuning, standby: standby).html) }
        if !folds.isEmpty { page.section("Cross-validation", FoldsSection(folds, training.by).html) }
        if let data = model.data { page.section("Data", "\(DataSection(data).html)\(constants)\(odd)") }
        page.section("Model", shape)
        page.section("Configuration", "<pre>\(configuration)</pre>\n")
        return page.html
    }

    private var beginning: String {
        let time = Timestamp.text(started.milliseconds / 1_000 * 1_000)
        return resumedAfter.map { "resumed after epoch \($0), \(time)" } ?? "begun \(time)"
    }

    private var duration: String {
        let whole = Int(seconds.rounded())
        if whole < 60 { return NumberText.significant(seconds, digits: 2) + " s" }
        return whole < 3_600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3_600) h \(whole / 60 % 60) min"
    }

    private var outcome: HTML {
        var facts: [(name: String, value: HTML)] = [("best epoch", best)]
        if let carried = result.carryGap?.carried {
            facts.append(("validation loss, carried", "\(NumberText.significant(carried.loss))"))
        }
        if let test = result.test { facts.append(("test loss", "\(NumberText.significant(test.loss))")) }
        if let accuracy = result.errors?.classes?.accuracy {
            facts.append(("accuracy", "\(NumberText.percent(accuracy))"))
        }
        if let ratio = result.errors?.naiveRatio {
            facts.append(("error against last value", "\(NumberText.percent(ratio, places: 0))"))
        }
        if let data = model.data {
            let streams = data.streams == 1 ? "one stream" : NumberText.count(data.streams) + " streams"
            facts.append(("observations", "\(NumberText.count(data.observations)) <small>of \(streams)</small>"))
        }
        let list = facts.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>\n" as HTML }.joined()
        return "<dl class=\"facts\">\n\(list)</dl>\n\(stop)\(unmeasured)"
    }

    private var constants: HTML {
        guard !constantInputs.isEmpty else { return "" }
        return "<p class=\"reading warn\">The same value throughout: \(constantInputs.joined(separator: ", "))</p>\n"
    }

    private var odd: HTML {
        (division?.warnings ?? []).map {
            "<p class=\"reading warn\">\($0.prefix(1).uppercased() + $0.dropFirst()).</p>\n" as HTML
        }.joined()
    }

    private var best: HTML {
        result.bestEpoch > 0
            ? "\(result.bestEpoch) <small>of \(result.epochs.count)</small>" : "none <small>ended</small>"
    }

    private var unmeasured: HTML {
        result.isMeasured
            ? "" : "<p class=\"reading warn\">Interrupted as it was measured: what is not here was not measured.</p>\n"
    }

    private var stop: HTML {
        switch result.stop {
        case .completed: ""
        case .early:
            "<p class=\"aside\">Stopped early: no better validation loss for \(training.patience) epochs.</p>\n"
        case .cancelled: "<p class=\"reading warn\">Interrupted: this is the best model until then.</p>\n"
        case .diverged(let epoch, let batch):
            """
            <p class="reading warn">Training diverged in epoch \(epoch), batch \(batch): this is the best model before \
            it. A smaller learning rate may help.</p>

            """
        }
    }

    private var losses: HTML {
        let train = result.epochs.map { (x: $0.epoch, y: $0.train.loss) }
        let validation = result.epochs.compactMap { epoch in epoch.validation.map { (x: epoch.epoch, y: $0.loss) } }
        var lines = [LineChart.Line("train", style: "a", train)]
        if !validation.isEmpty { lines.append(LineChart.Line("validation", style: "b", validation)) }
        let chart = LineChart(
            "Loss by epoch", horizontal: "epoch", lines,
            mark: result.bestEpoch > 0 ? (result.bestEpoch, "best: \(result.bestEpoch)") : nil)
        guard !result.epochs.isEmpty else { return "<p>No epoch was ended.</p>\n" }
        let accuracies = result.epochs.contains { $0.train.accuracy != nil }
        var table = Table(
            [.number("epoch"), .text("carry"), .number("train"), .number("validation")]
                + (accuracies ? [.number("accuracy")] : []))
        for epoch in shown {
            let accuracy = epoch.validation?.accuracy ?? epoch.train.accuracy
            table.add(
                [
                    "\(epoch.epoch)", "\(epoch.policy.rawValue)",
                    "\(NumberText.significant(epoch.train.loss, digits: 5))",
                    "\(NumberText.significant(epoch.validation?.loss, digits: 5))",
                ] + (accuracies ? ["\(NumberText.percent(accuracy))"] : []), isChosen: epoch.epoch == result.bestEpoch)
        }
        return "\(chart.svg)\(table.html)"
    }

    /// Every so many epochs, the first, the best and the last among them: metrics.json has them all.
    private var shown: [TrainingProgress.Epoch] {
        let every = max(1, (result.epochs.count + 19) / 20)
        return result.epochs.filter {
            $0.epoch == 1 || $0.epoch % every == 0 || $0.epoch == result.bestEpoch || $0.epoch == result.epochs.count
        }
    }

    private func accuracy(_ classes: ServedErrors.Classes, _ part: ServedErrors.Part) -> HTML {
        let chart = BarChart(
            "Accuracy", [.init("model", style: "a")],
            [.init("model", [classes.accuracy]), .init("most frequent label", [classes.majority])],
            reach: 1, text: { NumberText.percent($0) })
        return """
            <p>Of \(NumberText.count(classes.count)) labels of the \(part.rawValue) rows, state carried as in service: \
            beside always saying the label that is the most frequent of the training part.</p>
            \(chart.svg)
            """
    }

    private func carryGap(_ gap: CarryGap) -> HTML {
        let chart = BarChart(
            "Validation loss", [.init("loss", style: "a")],
            [
                .init("state carried", [gap.carried.loss]),
                .init("reset every \(training.chunk) steps", [gap.resetPerChunk.loss]),
            ])
        let reading = gap.reading.prefix(1).uppercased() + gap.reading.dropFirst()
        return """
            <p>The validation rows twice: with the state carried as <code>serve</code> does, and set back before \
            every chunk.</p>
            \(chart.svg)<p class="reading\(gap.difference > 0 ? " warn" : "")">\(reading).</p>

            """
    }

    private var shape: HTML {
        let (manifest, shape) = (model.manifest, model.parameters.shape)
        var table = Table([.text(""), .text("")])
        func row(_ name: String, _ value: String) { table.add(["\(name)", "\(value)"]) }
        row("inputs", manifest.inputs.joined(separator: ", "))
        if !manifest.head.classifies {
            row("targets", manifest.targets.joined(separator: ", "))
            row("horizons", manifest.horizons.map(String.init).joined(separator: ", ") + " observations")
        }
        let quantiles = manifest.quantiles.map { NumberText.significant($0) }.joined(separator: ", ")
        row("head", manifest.head.rawValue + (quantiles.isEmpty ? "" : ", quantiles \(quantiles)"))
        row("hidden units, layers", "\(shape.hidden), \(shape.layers)")
        row("parameters", NumberText.count(model.parameters.values.count))
        row("initial state, scaling", "\(manifest.initialState.rawValue), \(manifest.scaling.rawValue)")
        row("sha256 of the file", model.hash)
        return table.html
    }
}
