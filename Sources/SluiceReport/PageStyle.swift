extension Page {
    static let style = """
        :root {
          color-scheme: light dark;
          --ground: #f4f6f8; --panel: #fff; --line: #dde2e8; --faint: #eef1f4; --text: #1a2330; --muted: #5a6675;
          --a: #1766d6; --b: #d9780a; --c: #8b97a5; --d: #1c8a5b; --e: #8646d1; --f: #c8324b;
          --good: #17733f; --warn: #8a5200;
          --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
        }
        @media screen and (prefers-color-scheme: dark) {
          :root {
            --ground: #11151a; --panel: #191f27; --line: #2c3540; --faint: #222a33; --text: #e3e8ee; --muted: #98a4b3;
            --a: #5aa2ff; --b: #f0a04b; --c: #6d7a89; --d: #5cc795; --e: #b78bff; --f: #ff8593;
            --good: #6fcf97; --warn: #f0b35a;
          }
        }
        * { box-sizing: border-box; }
        html {
          font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
          background: var(--ground); color: var(--text); font-variant-numeric: tabular-nums;
        }
        body { max-width: 940px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
        h1 { font-size: 1.5rem; font-weight: 650; margin: 0; letter-spacing: -.01em; }
        h2 { font-size: 1.05rem; font-weight: 650; margin: 0 0 .75rem; }
        h3 { font-size: .9rem; font-weight: 600; margin: 1.25rem 0 .4rem; }
        p { margin: .5rem 0; }
        .subtitle, .aside { color: var(--muted); }
        section {
          background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.25rem;
          margin-top: 1rem;
        }
        .facts {
          display: grid; grid-template-columns: repeat(auto-fit, minmax(145px, 1fr)); gap: .75rem 1.25rem; margin: 0;
        }
        .facts dt { color: var(--muted); font-size: .8rem; line-height: 1.3; }
        .facts dd { margin: 0; font-size: 1.25rem; font-weight: 600; overflow-wrap: anywhere; }
        .facts dd small { font-size: .8rem; font-weight: 400; color: var(--muted); }
        .reading { border-left: 3px solid var(--a); padding-left: .75rem; }
        .warn { border-left-color: var(--warn); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; font-size: .93em; }
        th, td {
          text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--faint); vertical-align: top;
        }
        th { color: var(--muted); font-weight: 500; border-bottom-color: var(--line); white-space: nowrap; }
        .number { text-align: right; white-space: nowrap; padding-right: 1.1rem; }
        .number:last-child { padding-right: 0; }
        tr.chosen td { font-weight: 650; }
        tfoot td { font-weight: 600; }
        tfoot tr:first-child td { border-top: 1px solid var(--line); }
        .whole { white-space: nowrap; }
        .better { color: var(--good); }
        .worse { color: var(--warn); }
        code, pre { font-family: var(--mono); font-size: .88em; overflow-wrap: anywhere; }
        pre { white-space: pre-wrap; margin: 0; }
        .chart { display: block; width: 100%; height: auto; margin: .25rem 0; }
        .chart text {
          font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--text);
        }
        .chart .tick, .chart .value { fill: var(--muted); font-size: 11px; }
        .chart .note { fill: var(--muted); }
        .chart .value { paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round; }
        .chart .middle { text-anchor: middle; }
        .chart .end { text-anchor: end; }
        .grid { stroke: var(--line); stroke-width: 1; }
        .mark { stroke: var(--text); stroke-width: 1; stroke-dasharray: 3 3; opacity: .6; }
        .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        .line.a { stroke: var(--a); } .line.b { stroke: var(--b); } .line.c { stroke: var(--c); }
        .line.d { stroke: var(--d); } .line.e { stroke: var(--e); } .line.f { stroke: var(--f); }
        .dot.a, .bar.a { fill: var(--a); } .dot.b, .bar.b { fill: var(--b); } .dot.c, .bar.c { fill: var(--c); }
        .dot.d, .bar.d { fill: var(--d); } .dot.e, .bar.e { fill: var(--e); } .dot.f, .bar.f { fill: var(--f); }
        @media print {
          html { background: none; font-size: 11px; }
          body { max-width: none; padding: 0; }
          section { border: none; border-top: 1px solid var(--line); border-radius: 0; padding: .75rem 0; }
          h2, h3 { break-after: avoid; }
          .chart, tr, .facts, .reading { break-inside: avoid; }
          .chart { max-width: 640px; }
          .scroll { overflow: visible; }
          * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }

        """
}
