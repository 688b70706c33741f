"""Small modules of each kind, trained here, with rows that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

Rows: TypeAlias = Mapping[str, Tensor]
SEED = 7


class Trained(NamedTuple):
    """A module in evaluation mode, the rows it was trained on, and others."""

    module: nn.Module
    seen: Rows
    held_out: Rows


class Mlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.layers(features)
        return logits


class Cnn(nn.Module):
    """Convolutions with a residual connection, batch norm and dropout, as image models have them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout2d(0.2))
        self.head = nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5))
        self.classify = nn.Linear(8, 4)

    def forward(self, image: Tensor) -> Tensor:
        stem = self.stem(image)
        logits: Tensor = self.classify(self.head(stem + self.block(stem)))
        return logits


class Recurrent(nn.Module):
    def __init__(self, kind: type[nn.LSTM | nn.GRU]) -> None:
        super().__init__()
        self.cells = kind(5, 12, num_layers=2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(12, 2)

    def forward(self, series: Tensor) -> Tensor:
        steps, _ = self.cells(series)
        forecast: Tensor = self.head(steps[:, -1])
        return forecast


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.1, batch_first=True)
        self.words, self.places = nn.Embedding(60, 16), nn.Parameter(torch.zeros(10, 16))
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(16, 3)

    def forward(self, input_ids: Tensor) -> Tensor:
        hidden = self.encoder(self.words(input_ids) + self.places)
        logits: Tensor = self.head(hidden.mean(1))
        return logits


class BagOfWords(nn.Module):
    """Ids in, 0 for padding, a mean over the words that there are."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.head = nn.Embedding(40, 8, padding_idx=0), nn.Linear(8, 1)

    def forward(self, input_ids: Tensor) -> Tensor:
        there = (input_ids != 0).unsqueeze(-1).float()
        mean = (self.words(input_ids) * there).sum(1) / there.sum(1).clamp(min=1)
        score: Tensor = torch.sigmoid(self.head(mean)).squeeze(-1)
        return score


class TwoInputs(nn.Module):
    """Numbers and a category, as a table has them."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds, self.mix = nn.Embedding(5, 4), nn.Linear(7, 8)
        self.head = nn.Linear(8, 1)

    def forward(self, amounts: Tensor, kind: Tensor) -> Tensor:
        together = torch.cat([amounts, self.kinds(kind).squeeze(1)], dim=1)
        price: Tensor = self.head(torch.relu(self.mix(together)))
        return price


class TwoHeads(nn.Module):
    """A dict of a class's scores and the vector behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        vector = torch.tanh(self.body(features))
        return {"logits": self.head(vector), "embedding": vector}


def numbers(rows: int, *shape: int) -> Tensor:
    return torch.randn(rows, *shape)


def ids(rows: int, length: int, below: int) -> Tensor:
    return torch.randint(0, below, (rows, length))


def train(module: nn.Module, rows: Rows, held_out: Rows) -> Trained:
    """Fit a module to random targets for a few steps: batch norm has learned, weights are not as they began."""
    module.train()
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    targets: dict[str, Tensor] = {}
    for _ in range(20):
        answer = module(**rows)
        outputs = answer if isinstance(answer, dict) else {"output": answer}
        targets = targets or {name: torch.randn_like(output) for name, output in outputs.items()}
        loss = sum(((output - targets[name]) ** 2).mean() for name, output in outputs.items())
        optimizer.zero_grad()
        torch.as_tensor(loss).backward()
        optimizer.step()
    return Trained(module.eval(), rows, held_out)


def mlp() -> Trained:
    torch.manual_seed(SEED)
    return train(Mlp(), {"features": numbers(64, 6)}, {"features": numbers(20, 6)})


def cnn() -> Trained:
    torch.manual_seed(SEED)
    return train(Cnn(), {"image": numbers(16, 3, 12, 12)}, {"image": numbers(6, 3, 12, 12)})


def lstm() -> Trained:
    torch.manual_seed(SEED)
    return train(Recurrent(nn.LSTM), {"series": numbers(32, 9, 5)}, {"series": numbers(7, 9, 5)})


def gru() -> Trained:
    torch.manual_seed(SEED)
    return train(Recurrent(nn.GRU), {"series": numbers(32, 9, 5)}, {"series": numbers(7, 9, 5)})


def transformer() -> Trained:
    torch.manual_seed(SEED)
    return train(Transformer(), {"input_ids": ids(32, 10, 60)}, {"input_ids": ids(7, 10, 60)})


def bag_of_words() -> Trained:
    torch.manual_seed(SEED)
    return train(BagOfWords(), {"input_ids": ids(64, 8, 40)}, {"input_ids": ids(11, 8, 40)})


def two_inputs() -> Trained:
    torch.manual_seed(SEED)
    seen = {"amounts": numbers(64, 3), "kind": ids(64, 1, 5)}
    return train(TwoInputs(), seen, {"amounts": numbers(9, 3), "kind": ids(9, 1, 5)})


def two_heads() -> Trained:
    torch.manual_seed(SEED)
    return train(TwoHeads(), {"features": numbers(64, 6)}, {"features": numbers(9, 6)})


def price_model() -> tuple[nn.Module, dict[str, Tensor]]:
    """Make a module and example inputs: what `package.module:factory` names."""
    trained = two_inputs()
    return trained.module, {name: rows[:3] for name, rows in trained.seen.items()}
