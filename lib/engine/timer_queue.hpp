#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "engine/clock.hpp"

namespace wgkit::engine {

/// What a TimerQueue keeps in each of its members.
struct TimerSlot {
    static constexpr std::size_t none = SIZE_MAX;
    std::size_t index = none;
    Instant due = never;
};

/// The earliest of many deadlines: a binary heap of objects that know their place in it, so that
/// adding, moving and removing cost O(log n) and an idle object costs nothing.
/// `T` derives from TimerSlot and must stay where it is while it is in the queue.
template <class T>
class TimerQueue {
  public:
    /// Wakes `object` at `due` or before.
    void at_latest(T& object, Instant due) {
        if (due == never) return;
        if (object.index == TimerSlot::none) {
            object.index = heap_.size();
            object.due = due;
            heap_.push_back(&object);
            up(object.index);
        } else if (due < object.due) {
            object.due = due;
            up(object.index);
        }
    }

    void remove(T& object) {
        if (object.index == TimerSlot::none) return;
        const std::size_t at = object.index;
        object.index = TimerSlot::none;
        T* last = heap_.back();
        heap_.pop_back();
        if (last == &object) return;
        place(at, last);
        up(at);
        down(last->index);
    }

    Instant next() const { return heap_.empty() ? never : heap_.front()->due; }

    /// Takes out one object whose time has come, or nothing.
    T* pop(Instant now) {
        if (heap_.empty() || heap_.front()->due > now) return nullptr;
        T* first = heap_.front();
        remove(*first);
        return first;
    }

  private:
    void place(std::size_t at, T* object) {
        heap_[at] = object;
        object->index = at;
    }
    void up(std::size_t at) {
        T* object = heap_[at];
        while (at > 0 && object->due < heap_[(at - 1) / 2]->due) {
            place(at, heap_[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        place(at, object);
    }
    void down(std::size_t at) {
        T* object = heap_[at];
        for (;;) {
            std::size_t child = 2 * at + 1;
            if (child >= heap_.size()) break;
            if (child + 1 < heap_.size() && heap_[child + 1]->due < heap_[child]->due) ++child;
            if (heap_[child]->due >= object->due) break;
            place(at, heap_[child]);
            at = child;
        }
        place(at, object);
    }

    std::vector<T*> heap_;
};

} // namespace wgkit::engine
