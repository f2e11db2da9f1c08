/// A page that needs nothing else: style within, no scripts, light or dark as the reader's system is, black on white
/// when printed.
package struct Page {
    let title: String
    let subtitle: HTML
    private var sections: HTML = ""

    package init(_ title: String, subtitle: HTML = "") {
        self.title = title
        self.subtitle = subtitle
    }

    package mutating func section(_ heading: String, _ content: HTML) {
        sections += "<section>\n<h2>\(heading)</h2>\n\(content)</section>\n"
    }

    package var html: String {
        let html: HTML = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(title)</title>
            <style>
            \(HTML(raw: Self.style))</style>
            </head>
            <body>
            <header>
            <h1>\(title)</h1>
            <p class="subtitle">\(subtitle)</p>
            </header>
            <main>
            \(sections)</main>
            </body>
            </html>

            """
        return html.text
    }
}
