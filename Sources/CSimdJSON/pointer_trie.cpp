#include "pointer_trie.hpp"

#include <algorithm>

namespace sluice {

// RFC 6901: "~0" is '~', "~1" is '/', nothing else may follow a '~'.
static bool unescape_token(std::string_view token, std::string &out) {
    for (size_t i = 0; i < token.size(); i++) {
        char c = token[i];
        if (c == '~') {
            if (++i == token.size() || (token[i] != '0' && token[i] != '1')) return false;
            c = token[i] == '0' ? '~' : '/';
        }
        out.push_back(c);
    }
    return true;
}

static int64_t array_index(const std::string &token) {
    if (token.empty() || token.size() > 9 || (token[0] == '0' && token.size() > 1)) return -1;
    int64_t index = 0;
    for (char c : token) {
        if (c < '0' || c > '9') return -1;
        index = index * 10 + (c - '0');
    }
    return index;
}

bool PointerTrie::add(std::string_view pointer, int32_t slot) {
    if (pointer.empty() || pointer[0] != '/') return false;
    Node *node = &root;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        size_t end = pointer.find('/');
        if (end == std::string_view::npos) end = pointer.size();
        Node child;
        if (!unescape_token(pointer.substr(0, end), child.name)) return false;
        pointer.remove_prefix(end);
        Node *next = nullptr;
        for (Node &known : node->children) {
            if (known.name == child.name) next = &known;
        }
        if (next == nullptr) {
            child.index = array_index(child.name);
            for (size_t i = 0; i < child.name.size(); i++) {
                auto byte = static_cast<unsigned char>(child.name[i]);
                if (byte < 0x20 || byte == '"' || byte == '\\') child.plain = false;
                if (i >= 8) continue;
                child.head |= uint64_t(byte) << (8 * i);
                child.head_mask |= uint64_t(0xff) << (8 * i);
            }
            node->children.push_back(std::move(child));
            next = &node->children.back();
        }
        node = next;
    }
    if (node->slot < 0) {
        node->slot = slot;
    } else {
        copies.emplace_back(node->slot, slot);
    }
    return true;
}

void PointerTrie::finish(Node &node) {
    constexpr size_t scanned_max = 16;
    for (uint32_t place = 0; place < node.children.size(); place++) {
        Node &child = node.children[place];
        finish(child);
        if (child.index >= 0) node.elements.push_back(place);
        if (node.children.size() > scanned_max) node.by_name.emplace(child.name, place);
    }
    std::sort(node.elements.begin(), node.elements.end(), [&](uint32_t a, uint32_t b) {
        return node.children[a].index < node.children[b].index;
    });
}

void PointerTrie::mark_below(const Node &node, sluice_json_kind kind) noexcept {
    for (const Node &child : node.children) {
        if (child.slot >= 0) results[child.slot].kind = kind;
        mark_below(child, kind);
    }
}

}  // namespace sluice
