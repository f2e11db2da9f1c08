import Foundation
import SluiceCore

/// A recorded series of the demo: one value an hour.
struct DemoSeries: Sendable {
    struct Row: Sendable {
        var time: EpochMilliseconds
        var value: Float
    }

    let stream: String
    let rows: [Row]

    /// The bundled temperatures of Seattle and San Francisco.
    ///
    /// - Throws: `file` when the program's resources do not lie beside it.
    static func bundled() throws -> [DemoSeries] {
        try [("temperature/seattle", "seattle-temps"), ("temperature/san-francisco", "sf-temps")].map { stream, name in
            guard let url = Bundle.module.url(forResource: "Resources/temperatures/\(name)", withExtension: "csv"),
                let text = try? String(contentsOf: url, encoding: .utf8)
            else {
                throw SluiceError(
                    .file, "the demo's data \(name).csv is missing", remedy: "run the program where it was built")
            }
            return DemoSeries(stream: stream, rows: try parse(text, name))
        }
    }

    /// Columns `date` (`2010/01/01 13:00`, seconds allowed, read as UTC) and `temp`, in any order.
    private static func parse(_ text: String, _ name: String) throws -> [Row] {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.split(separator: ",").map(String.init) }
        guard let header = lines.first, let date = header.firstIndex(of: "date"),
            let temp = header.firstIndex(of: "temp")
        else { throw SluiceError(.file, "the demo's data \(name).csv has no header") }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = .gmt
        return try lines.dropFirst().map { fields in
            format.dateFormat = fields[date].count > 16 ? "yyyy/MM/dd HH:mm:ss" : "yyyy/MM/dd HH:mm"
            guard fields.count == 2, let time = format.date(from: fields[date]), let value = Float(fields[temp]) else {
                throw SluiceError(.file, "the demo's data \(name).csv has a bad line: \(fields.joined(separator: ","))")
            }
            return Row(time: EpochMilliseconds(time.timeIntervalSince1970 * 1_000), value: value)
        }
    }
}
