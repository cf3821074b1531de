"""The look: a quiet theme, with fonts that come from this server."""

from __future__ import annotations

from pathlib import Path

from gradio.themes import Base
from gradio.themes.utils import sizes
from gradio.themes.utils.colors import Color
from gradio.themes.utils.fonts import Font, LocalFont

STYLES = tuple(map(Path(__file__).with_name, ("style.css", "plots.css", "learn.css")))
ICON = Path(__file__).with_name("icon.svg")

TEAL = Color(
    name="layerwise-teal",
    c50="#eefaf8",
    c100="#d5f2ed",
    c200="#aee5dc",
    c300="#7cd1c5",
    c400="#47b5a8",
    c500="#23988c",
    c600="#137a71",
    c700="#11625c",
    c800="#124e4a",
    c900="#13413e",
    c950="#062625",
)
INK = Color(
    name="layerwise-ink",
    c50="#f7f8f8",
    c100="#eef0f1",
    c200="#dfe3e5",
    c300="#c5ccd0",
    c400="#929ea5",
    c500="#66747c",
    c600="#4c5960",
    c700="#38434a",
    c800="#232c32",
    c900="#171e23",
    c950="#0f1418",
)
# IBM Plex comes with Gradio, regular and bold with all their letters (the weights between lack most of them). A web
# font that is no LocalFont would be asked for at Google.
SANS = [
    LocalFont("IBM Plex Sans", weights=(400, 700)),
    *map(Font, ("system-ui", "Segoe UI", "Arial", "sans-serif")),
]
MONO = [LocalFont("IBM Plex Mono", weights=(400, 700)), *map(Font, ("ui-monospace", "Menlo", "Consolas", "monospace"))]


def theme() -> Base:
    """The theme of all pages, light and dark."""
    return Base(
        primary_hue=TEAL,
        secondary_hue=TEAL,
        neutral_hue=INK,
        radius_size=sizes.radius_lg,
        spacing_size=sizes.spacing_md,
        text_size=sizes.text_md,
        font=SANS,
        font_mono=MONO,
    ).set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="*neutral_900",
        body_text_color="*neutral_800",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        color_accent="*primary_600",  # in the dark: style.css
        checkbox_background_color_selected_dark="*primary_600",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_800",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_width="1px",
        block_shadow="none",
        block_shadow_dark="none",
        block_label_background_fill="white",
        block_label_background_fill_dark="*neutral_900",
        block_label_border_width="0px",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_title_text_weight="600",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        input_border_width="1px",
        input_background_fill="white",
        input_background_fill_dark="*neutral_950",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_700",
        button_border_width="1px",
        button_large_padding="10px 18px",
        button_large_text_size="*text_md",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        link_text_color_hover="*primary_800",
        link_text_color_hover_dark="*primary_200",
        link_text_color_visited="*primary_700",
        link_text_color_visited_dark="*primary_300",
    )
