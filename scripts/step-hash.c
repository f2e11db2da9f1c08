// Prints hashes of the step's and the activations' bits; with five outputs the same network as `arithmeticIsPinned` in GoldenTests.swift.
// Built for two processors by scripts/check-arm64.
#define XXH_INLINE_ALL
#include "step_kernel.h"
#include "xxhash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 2026;

static float draw(float scale) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return (float)((int64_t)(z >> 40) - (1 << 23)) * 0x1p-23f * scale;
}

static float *draws(float *to, size_t count, float scale) {
    for (size_t i = 0; i < count; i++) to[i] = draw(scale);
    return to;
}

enum { INPUTS = 7, HIDDEN = 37, PADDED = 48, LAYERS = 2, OUTPUTS = 5 /* at most */, ROWS = 19, STEPS = 11 };
enum { STRIDE = LAYERS * 2 * PADDED };

/// Few outputs have their rows in the lanes, more of them their units.
static void hash_step(sluice_isa isa, size_t count) {
    static float ih[4 * HIDDEN * HIDDEN], hh[4 * HIDDEN * HIDDEN], bih[4 * HIDDEN], bhh[4 * HIDDEN];
    static float states[2][ROWS * STRIDE], inputs[ROWS * INPUTS], outputs[STEPS * ROWS * OUTPUTS + ROWS * STRIDE];
    const float amplitude = 0x1p-2f; // 2^-floor(log2(37) / 2)
    seed = 2026;
    memset(states, 0, sizeof states);
    memset(outputs, 0, sizeof outputs);
    float nothing = 0;
    sluice_lstm m = {INPUTS, HIDDEN, LAYERS, count, &nothing};
    const size_t bytes = (sluice_lstm_packed_floats(&m) * sizeof(float) + 63) / 64 * 64;
    float *packed = aligned_alloc(64, bytes);
    if (!packed) abort();
    memset(packed, 0, bytes);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        draws(ih, 4 * HIDDEN * (layer == 0 ? INPUTS : HIDDEN), amplitude);
        draws(hh, 4 * HIDDEN * HIDDEN, amplitude);
        draws(bih, 4 * HIDDEN, amplitude);
        draws(bhh, 4 * HIDDEN, amplitude);
        sluice_lstm_pack_layer(&m, layer, ih, hh, bih, bhh, packed);
    }
    draws(ih, count * HIDDEN, amplitude);
    draws(bih, count, amplitude);
    sluice_lstm_pack_head(&m, ih, bih, packed);
    m.packed = packed;
    for (size_t step = 0; step < STEPS; step++) {
        const float *rows[ROWS];
        bool finite[ROWS];
        for (size_t row = 0; row < ROWS; row++) rows[row] = states[step % 2] + row * STRIDE;
        draws(inputs, ROWS * INPUTS, 4);
        sluice_lstm_step(&m, isa, ROWS, inputs, rows, states[(step + 1) % 2], outputs + step * ROWS * count, finite);
    }
    memcpy(outputs + STEPS * ROWS * count, states[STEPS % 2], sizeof states[0]);
    const size_t floats = STEPS * ROWS * count + ROWS * STRIDE;
    printf("step with %zu outputs %llx\n", count, (unsigned long long)XXH64(outputs, floats * sizeof(float), 0));
    free(packed);
}

typedef void (*activation)(sluice_isa isa, const float *x, float *out, size_t count);

static void hash_activation(const char *name, activation function, sluice_isa isa) {
    enum { COUNT = 1 << 20 };
    static float values[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t bits = i * 4096u + i % 4096u;
        memcpy(values + i, &bits, 4);
    }
    function(isa, values, values, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t quiet = 0x7fc00000; // payloads differ by processor and mean nothing
        if (values[i] != values[i]) memcpy(values + i, &quiet, 4);
    }
    printf("%s %llx\n", name, (unsigned long long)XXH64(values, sizeof values, 0));
}

int main(void) {
    sluice_fp_environment();
    sluice_isa isa = sluice_isa_best();
    for (size_t count = 1; count <= OUTPUTS; count++) hash_step(isa, count);
    hash_activation("exp", sluice_exp, isa);
    hash_activation("log", sluice_log, isa);
    hash_activation("tanh", sluice_tanh, isa);
    hash_activation("sigmoid", sluice_sigmoid, isa);
    return 0;
}
