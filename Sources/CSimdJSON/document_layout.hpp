// What the documents of a topic have in common: the text between their values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simdjson_shim.h"

namespace sluice {

// The text between the values of one document, which the next mostly shares to the byte. Where it does, and each value
// is a plain one, the next document is as good as that one was, and its values are found without looking at tokens.
// Anything else is for the walk to decide.
class DocumentLayout {
public:
    // Begins to learn from a document.
    void begin() noexcept;
    // The next value of the document, in the order of the text, neither object nor array; a slot of −1 for one that
    // no pointer names.
    void add(size_t start, size_t end, int32_t slot);
    // What a value means depends on more than where it stands.
    void refuse() noexcept { refused = true; }
    // The document learned from was good to its end.
    void finish(const char *text, size_t count);
    // Whether the document has this layout and plain values, which are then in the results: those of the document
    // learned from, otherwise untouched. Behind the text lie at least 32 zeros. A miss forgets the layout, and leaves
    // results without meaning.
    bool read(const char *text, size_t count, sluice_json_value *results) noexcept;

    // Whether to learn from the next document: less and less often while no document is like the last.
    bool should_learn() noexcept;

private:
    struct Gap {
        size_t start, length;  // in `fixed`, what comes before the value
        int32_t slot;
    };
    bool miss() noexcept;

    static constexpr size_t bytes_max = 1 << 14;
    static constexpr uint32_t patience_max = 64;

    std::vector<Gap> gaps;
    std::string fixed;  // the document, and some zeros
    size_t tail = 0, length = 0;  // in `fixed`, what comes behind the last value
    bool known = false, refused = false;
    uint32_t patience = 1, waited = 0;
};

}  // namespace sluice
