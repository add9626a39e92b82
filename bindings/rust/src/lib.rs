// SPDX-License-Identifier: BSD-2-Clause
#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![cfg_attr(feature = "nightly", feature(allocator_api))]

mod boxed;
pub mod ctl;
mod global;
mod info;
pub mod pages;
mod place;
mod pool;
mod scope;
pub mod sys;
mod vec;

pub use boxed::{PoolBox, TierBox};
pub use global::CxlMalloc;
pub use info::{
    info, node_info, nr_nodes, usage, version, Events, NodeInfo, TierInfo, Usage, EVENT_FULL,
    EVENT_LIMIT, EVENT_NODES, EVENT_POLICY,
};
pub use place::{alloc, dealloc, realloc, tier_of, AllocError, On, Place, Tier};
pub use pool::{Pool, PoolOptions, PoolPolicy, PoolUsage};
pub use scope::{hint, scope, Scope};
pub use vec::{IntoIter, PoolVec, TierVec};
