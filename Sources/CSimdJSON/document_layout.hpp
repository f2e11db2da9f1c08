// What documents of a topic have in common: the text between their values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simdjson_shim.h"

namespace sluice {

// The text between the values of one document, which others share to the byte. Where one does, and each of its values
// is a plain one, it is as good as that document was, and its values are found without looking at tokens. Anything
// else is for the walk to decide.
class DocumentLayout {
public:
    // Begins to learn from a document.
    void begin() noexcept;
    // The next value of the document, in the order of the text, neither object nor array; a slot of −1 for one that
    // no pointer names.
    void add(size_t start, size_t end, int32_t slot);
    // What a value means depends on more than where it stands.
    void refuse() noexcept { refused = true; }
    // The document learned from was good to its end, with these results. Returns whether it has a layout.
    bool finish(const char *text, size_t count, const std::vector<sluice_json_value> &results);
    void forget() noexcept { known = false; }

    bool is_known() const noexcept { return known; }
    // Whether a document begins like this layout.
    bool begins(const char *text, size_t count) const noexcept;
    // Puts in place what is the same in all documents of this layout: results that are no plain values.
    void fill(sluice_json_value *results) const noexcept;
    // Whether the document has this layout and plain values, which are then in the results; the others of these are as
    // `fill` left them. Behind the text lie at least 32 zeros. Without it what is in the results has no meaning.
    bool read(const char *text, size_t count, sluice_json_value *results) const noexcept;

private:
    struct Gap {
        size_t start, length;  // in `fixed`, what comes before the value
        int32_t slot;
    };
    struct Common {
        size_t slot;
        sluice_json_kind kind;
    };

    static constexpr size_t bytes_max = 1 << 14;

    std::vector<Gap> gaps;
    std::string fixed;  // the document, and some zeros
    std::vector<Common> commons;
    std::vector<bool> named;  // slots of the gaps
    size_t tail = 0, length = 0;  // in `fixed`, what comes behind the last value
    bool known = false, refused = false;
};

// The layouts of the last documents: several programs write to a topic, each in its own way, or leave members out now
// and then.
class DocumentLayouts {
public:
    DocumentLayouts() = default;
    DocumentLayouts(const DocumentLayouts &) = delete;

    // Whether one of the layouts has the document's values, which are then in the results. Behind the text lie at least
    // 32 zeros. A miss leaves results without meaning.
    bool read(const char *text, size_t count, sluice_json_value *results) noexcept;
    // After a miss: where to learn from the document, which has no place yet; null: it is not learned from. Less and
    // less is, while no document has a layout.
    DocumentLayout *learn() noexcept;
    // What was to be learned from was good to its end.
    void finish(const char *text, size_t count, const std::vector<sluice_json_value> &results);

private:
    struct Known {
        DocumentLayout layout;
        Known *next = nullptr;  // whose document followed its last one
        uint64_t used = 0;      // when it had a document
        uint32_t misses = 0;    // documents since then that began like it, and weigh more while none has a layout
    };
    bool read(Known &known, const char *text, size_t count, sluice_json_value *results) noexcept;
    void had(Known &known) noexcept;

    static constexpr uint32_t patience_max = 64, misses_max = 128;

    Known layouts[8];
    Known *last = layouts;     // whose document was the last that had one
    Known *owner = nullptr;    // whose common results are in place
    DocumentLayout learning;
    uint64_t now = 0;
    uint32_t patience = 1, waited = 0;
};

}  // namespace sluice
