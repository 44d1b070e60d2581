//! Every limit of the server: its name with its unit, and why this number.

