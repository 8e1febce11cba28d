# The native kernels (docs/decisions/0006-kernels.md): one static library for each instruction set, all from the same source,
# and the addon that chooses among them when it runs. Built by scripts/install-kernels.mjs.
{
  "variables": {
    # NaNs and infinities mean what they mean; only errno and traps, which nobody reads, are given up.
    # Contraction to fused multiply-adds is left as the compilers have it: on, except where random.hpp turns it off.
    "flags": ["-O3", "-Wno-psabi", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-Wall", "-Wextra"],
    "flags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fvisibility-inlines-hidden"],
  },
  "target_defaults": {
    "cflags": ["<@(flags)"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["<@(flags_cc)"],
    "xcode_settings": {
      "GCC_OPTIMIZATION_LEVEL": "3",
      "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CFLAGS": ["<@(flags)"],
      "OTHER_CPLUSPLUSFLAGS": ["<@(flags)", "<@(flags_cc)"],
    },
  },
  "targets": [
    {
      "target_name": "through_time_kernels",
      "sources": ["kernels/node.cpp"],
      "defines": ["TT_SOURCES=\"<!(node scripts/kernel-sources.mjs native)\""],
      "conditions": [
        ["target_arch=='arm64'", {"dependencies": ["kernels_neon"]}, {"dependencies": ["kernels_generic"]}],
        ["target_arch=='x64'", {"dependencies": ["kernels_avx2", "kernels_avx512"]}],
      ],
    },
  ],
  "conditions": [
    [
      "target_arch=='arm64'",
      {
        "targets": [
          {
            "target_name": "kernels_neon",
            "type": "static_library",
            "sources": ["kernels/variant.cpp"],
            "defines": ["TT_VARIANT=neon", "TT_WIDTH=4"],
          }
        ]
      },
      {
        "targets": [
          {
            "target_name": "kernels_generic",
            "type": "static_library",
            "sources": ["kernels/variant.cpp"],
            "defines": ["TT_VARIANT=generic", "TT_WIDTH=4"],
          }
        ]
      },
    ],
    [
      "target_arch=='x64'",
      {
        "targets": [
          {
            "target_name": "kernels_avx2",
            "type": "static_library",
            "sources": ["kernels/variant.cpp"],
            "defines": ["TT_VARIANT=avx2", "TT_WIDTH=8"],
            "variables": {"set": ["-mavx2", "-mfma"]},
            "cflags": ["<@(set)"],
            "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(set)"]},
          },
          {
            "target_name": "kernels_avx512",
            "type": "static_library",
            "sources": ["kernels/variant.cpp"],
            "defines": ["TT_VARIANT=avx512", "TT_WIDTH=16"],
            "variables": {
              "set": ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mfma", "-mprefer-vector-width=512"]
            },
            "cflags": ["<@(set)"],
            "xcode_settings": {"OTHER_CPLUSPLUSFLAGS": ["<@(set)"]},
          },
        ]
      },
    ],
  ],
}
